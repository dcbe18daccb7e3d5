import { events, streamKey } from '#core/collections.ts'
import type { Caller, Document, Domain, Event, Fields } from '#domains/domain.ts'
import type { HistoryQuery } from '#domains/query.ts'
import { askedOf, type QueryHandler, type QueryParts } from './handler.ts'
import { listHandler } from './page-handler.ts'

/** Answers the events of a stream by number. A stream without events has an empty list. */
export function historyHandler(parts: QueryParts, domain: Domain, query: HistoryQuery): QueryHandler {
  if (domain.kind !== 'decide') throw new Error(`${query.path}: domain ${domain.name} has no events`)
  const where = (params: Fields, caller: Caller) => ({ key: streamKey(domain.name, query.stream(params, caller)) })
  return listHandler(parts, {
    collectionFor: () => events,
    query: { index: 'stream', where },
    async shape(documents, queryRequest) {
      const asked = askedOf(queryRequest)
      return documents.map((document) => query.shape(eventOf(document), asked))
    },
  })
}

const eventOf = ({ _id, key: _, ...event }: Document): Event => event as unknown as Event
