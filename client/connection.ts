import type { OwnWrites } from './read-your-writes.ts'
import type { Transport } from './send.ts'

/** The way to one function of a site, publish or query. */
export interface Connection {
  transport: Transport
  /** The function's URL without a slash at the end; empty for the site of the page. */
  site: string
  ownWrites: OwnWrites
}
