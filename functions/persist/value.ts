/**
 * The value as text. JSON that the host parsed is serialised again. Empty for a value that can't be serialised: JSON that is
 * nested thousands of times, which functions-framework parses.
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
