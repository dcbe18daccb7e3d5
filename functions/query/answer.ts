import type { Clock } from '#core/clock.ts'
import type { Request, Response } from '#core/request.ts'
import type { Store } from '#core/store.ts'
import type { Telemetry } from '#core/telemetry.ts'
import type { Caller, Collection, Domain, Fields } from '#domains/domain.ts'
import type { Numbering } from './numbered.ts'

/** What every kind of query may use. */
export interface Parts extends Telemetry {
  store: Pick<Store, 'get' | 'find' | 'watch' | 'count'>
  clock: Clock
}

/** What is asked of a query. */
export interface Asking {
  request: Request
  caller: Caller
  /** Those of the path and those behind the question mark, checked. */
  params: Fields
  limit: number
  cursor: string | undefined
  /** The page by its number, where it is asked for so. */
  numbering?: Numbering
  /** The direction of an order that is asked for by its name. */
  newestFirst?: boolean
}

export type Answering = (asking: Asking) => Promise<Response>

/** As many documents as a stream has in memory at once. */
export const AT_ONCE = 1000

/** The collection that a query names; the only one where it names none. */
export function collectionOf(domain: Domain, { path, from }: { path: string; from?: string }): Collection {
  const all = domain.kind === 'append' ? [domain.documents.collection] : domain.collections
  const [first] = from === undefined && all.length === 1 ? all : all.filter(({ name }) => name === from)
  if (first) return first
  const named = from ?? 'of its own to read without saying which'
  throw new Error(`${path}: domain ${domain.name} has no collection ${named}`)
}
