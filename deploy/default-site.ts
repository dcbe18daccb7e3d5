/** The site of every program that names no other: make dev on this machine. */
export const DEFAULT_SITE = 'http://localhost:8080'

/** A command that prints a token of a sample person of the site. */
export const tokenCommand = (person: string, site: string): string =>
  `$(make -s token USER=${person}${site === DEFAULT_SITE ? '' : ` SITE=${site}`})`

/** What a failed request says: the address and what to do if nothing listens there, or else the error with its cause. */
export function requestFailure(error: unknown, address: string, remedy = REMEDY): string {
  const { message, cause } = error as Error
  if (!(cause instanceof Error)) return message
  const { code } = cause as NodeJS.ErrnoException
  return code === 'ECONNREFUSED' ? `Nothing answers at ${address}. ${remedy}` : `${message}: ${cause.message}`
}

const REMEDY = 'Start make dev, or name another site with SITE=.'
