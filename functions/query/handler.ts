import type { Clock } from '#core/clock.ts'
import { onlyCollection, readCollections } from '#core/registry.ts'
import type { Request, Response } from '#core/request.ts'
import type { Store } from '#core/store.ts'
import type { Telemetry } from '#core/telemetry.ts'
import type { Caller, Collection, DocumentReader, Domain, Fields } from '#domains/domain.ts'
import type { Asked } from '#domains/query.ts'
import type { Numbering } from './numbered-page.ts'

/** The parts that the handlers of all kinds of queries use. */
export interface QueryParts extends Telemetry {
  store: Pick<Store, 'get' | 'find' | 'watch' | 'count'>
  clock: Clock
}

/** A request with its caller and its validated parameters. */
export interface QueryRequest {
  request: Request
  caller: Caller
  /** The parameters of the path and of the query string. */
  params: Fields
  limit: number
  cursor: string | undefined
  /** The page and its size, if the client asks for a page by its number. */
  numbering?: Numbering
  /** The direction, if the client asks for an order by its name. */
  newestFirst?: boolean
}

/** The documents of a query that joins none. */
const NO_DOCUMENTS: DocumentReader = {
  get(collection, id) {
    throw new Error(
      `shape cannot read "${id}" of collection ${collection}, since only a page has join. A composed query reads several documents.`,
    )
  },
}

/** A request as `shape` sees it, with the documents that it joins. */
export const askedOf = ({ params, caller }: QueryRequest, documents = NO_DOCUMENTS): Asked => ({
  params,
  caller,
  documents,
})

export type QueryHandler = (queryRequest: QueryRequest) => Promise<Response>

/** The number of documents that a streamed response holds in memory at once. */
export const SCAN_BATCH = 1000

/** The collection or view that a query names, or the domain's only collection. Throws if there is none. */
export function collectionOf(domain: Domain, { path, from }: { path: string; from?: string }): Collection {
  const named = readCollections(domain).find(({ name }) => name === from)
  const found = from === undefined ? onlyCollection(domain) : named
  if (found) return found
  if (from === undefined)
    throw new Error(`${path}: the query must name one of the collections of domain ${domain.name}`)
  throw new Error(`${path}: domain ${domain.name} has no collection ${from}`)
}
