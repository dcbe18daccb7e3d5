/** The value as the record has it; JSON that was parsed on the way is written out again. */
export function textOf(data: unknown): string {
  if (data === undefined || data === null) return ''
  if (typeof data === 'string') return data
  return Buffer.isBuffer(data) ? data.toString('utf8') : JSON.stringify(data)
}
