import { events, streamKey } from '#core/collections.ts'
import { failureOf } from '#core/failure.ts'
import { ANONYMOUS } from '#core/ids.ts'
import type { Request } from '#core/request.ts'
import type { Inserted } from '#core/store.ts'
import type { Telemetry } from '#core/telemetry.ts'
import type { Caller, Document, Domain } from '#domains/domain.ts'
import type { Asked, LiveQuery } from '#domains/query.ts'
import type { Listener } from './broadcast.ts'
import { dataEvent, eventStream, positionIn, type StreamParts } from './event-stream.ts'
import type { Feeds } from './feeds.ts'
import { askedOf, collectionOf, type QueryHandler } from './handler.ts'

export interface LiveParts extends Telemetry, StreamParts {
  feeds: Feeds
}

const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }

/** Answers with server-sent events: the documents that are inserted from now on, or after `Last-Event-ID`. */
export function liveHandler(parts: LiveParts, domain: Domain, query: LiveQuery): QueryHandler {
  const { of, path } = query
  const { feeds, logger, metrics } = parts
  const collection = of === 'events' ? events : collectionOf(domain, { path, from: of.collection })
  const ownKeys = streamKey(domain.name, '')

  /** The event of a document for one client, or nothing. A document that makes the domain's code throw is left out. */
  function textOf({ document, resume }: Inserted, asked: Asked): string {
    try {
      return belongs(document, asked) ? dataEvent(query.shape(document, asked), resume) : ''
    } catch (error) {
      metrics.failed('bug')
      const { message, frames } = failureOf(error)
      logger.error({ domain: domain.name, path, detail: message, frames, err: error }, 'a live query failed')
      return ''
    }
  }

  function belongs(document: Document, { params, caller }: Asked): boolean {
    if (of === 'events' && !String(document.key).startsWith(ownKeys)) return false
    return query.keep(document, params, caller)
  }

  return async (queryRequest) => {
    const { request, caller } = queryRequest
    const asked = askedOf(queryRequest)
    const position = positionIn(request)
    const join = (listener: Listener) => feeds.join(collection, position, listener, turnOwner(caller, request))
    const body = eventStream(parts, request, join, (inserted) => textOf(inserted, asked))
    return { status: 200, headers, body }
  }
}

/** The owner of a read turn: the caller, or for callers without a token their network address. */
const turnOwner = ({ id }: Caller, { address }: Request): string => (id === ANONYMOUS ? `at ${address}` : id)
