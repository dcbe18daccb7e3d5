import { events, streamKey } from '#core/collections.ts'
import type { Document, Domain, Event } from '#domains/domain.ts'
import type { HistoryQuery } from '#domains/query.ts'
import type { Answering, Parts } from './answer.ts'
import { pageOf } from './page.ts'

/** The events of a stream, by number. A stream to which nothing has happened has none. */
export function history(parts: Parts, domain: Domain, query: HistoryQuery): Answering {
  if (domain.kind !== 'decide') throw new Error(`${query.path}: domain ${domain.name} keeps no events`)
  const listing = {
    index: 'stream',
    where: (params: Parameters<HistoryQuery['stream']>[0]) => ({ key: streamKey(domain.name, query.stream(params)) }),
  }
  return pageOf(
    parts,
    () => events,
    listing,
    async (documents) => documents.map((document) => query.shape(eventOf(document))),
  )
}

const eventOf = ({ _id, key: _, ...event }: Document): Event => event as unknown as Event
