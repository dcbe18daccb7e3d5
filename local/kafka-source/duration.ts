const FORM = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** The milliseconds of an ISO 8601 duration such as PT0.5S. Months and years have no fixed length and are refused. */
export function milliseconds(duration: string): number {
  const parts = FORM.exec(duration)?.slice(1) ?? []
  if (parts.every((part) => part === undefined)) throw new Error(`not an ISO 8601 duration: ${duration}`)
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0))
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
}
