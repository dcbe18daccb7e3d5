/**
 * The value as the record has it; JSON that was parsed on the way is written out again. Empty for a value that can't be written:
 * functions-framework parses JSON that is nested thousands of times.
 */
export function textOf(data: unknown): string {
  if (data === undefined || data === null) return ''
  if (typeof data === 'string') return data
  if (Buffer.isBuffer(data)) return data.toString('utf8')
  try {
    return JSON.stringify(data)
  } catch {
    return ''
  }
}
