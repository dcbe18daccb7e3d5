type Part = 'log' | 'store' | 'issuer'

/**
 * The log, the store or the issuer of tokens is unavailable: an outage, not a bug. Nothing was done unless
 * `mayBeWritten`. Then the outcome is unknown, and only a repeat with the same command id is safe. The store never
 * sets it: its writes go by id and are repeated anyway.
 */
export class Unavailable extends Error {
  override name = 'Unavailable'
  readonly what: Part
  readonly mayBeWritten: boolean

  constructor(what: Part, message: string, options: ErrorOptions & { mayBeWritten?: boolean } = {}) {
    super(`${what}: ${message}`, options)
    this.what = what
    this.mayBeWritten = options.mayBeWritten ?? false
  }
}
