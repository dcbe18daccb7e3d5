import { changes, events, streamKey } from '#core/collections.ts'
import { failureOf } from '#core/failure.ts'
import { ANONYMOUS } from '#core/ids.ts'
import { followedCollection } from '#core/registry.ts'
import type { Request } from '#core/request.ts'
import type { Inserted, StoredCollection } from '#core/store.ts'
import type { Telemetry } from '#core/telemetry.ts'
import type { Caller, Document, Domain } from '#domains/domain.ts'
import type { Asked, LiveQuery } from '#domains/query.ts'
import type { Listener } from './broadcast.ts'
import { beginEvent, dataEvent, eventStream, positionIn, type StreamParts } from './event-stream.ts'
import type { Feeds } from './feeds.ts'
import { askedOf, collectionOf, type QueryHandler } from './handler.ts'
import { listChange } from './live-list.ts'

export interface LiveParts extends Telemetry, StreamParts {
  feeds: Feeds
}

const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }

/** Answers with server-sent events: what happens from now on, or after `Last-Event-ID`. */
export function liveHandler(parts: LiveParts, domain: Domain, query: LiveQuery): QueryHandler {
  const { feeds, logger, metrics } = parts
  const { collection, textOf } = sourceOf(domain, query)

  /** The text for one client. What makes the domain's code throw is left out. */
  function textFor(inserted: Inserted, asked: Asked): string {
    try {
      return textOf(inserted, asked)
    } catch (error) {
      metrics.failed('bug')
      const { message, frames } = failureOf(error)
      const place = { domain: domain.name, path: query.path }
      logger.error({ ...place, detail: message, frames, err: error }, 'a live query failed')
      return ''
    }
  }

  return async (queryRequest) => {
    const { request, caller } = queryRequest
    const asked = askedOf(queryRequest)
    const position = positionIn(request)
    const join = (listener: Listener) => feeds.join(collection, position, listener, turnOwner(caller, request))
    const body = eventStream(parts, request, join, (inserted) => textFor(inserted, asked))
    return { status: 200, headers, body }
  }
}

/** A collection whose inserts a live query reads, and the event that one of them becomes for a client, or no text. */
interface Source {
  collection: StoredCollection
  textOf(inserted: Inserted, asked: Asked): string
}

/** Events and the documents of an append domain are only inserted. Other documents change, and their changes are inserted. */
function sourceOf(domain: Domain, query: LiveQuery): Source {
  const { of, path } = query
  if (of === 'events') {
    const ownKeys = streamKey(domain.name, '')
    return insertsOf(events, query, ({ key }) => String(key).startsWith(ownKeys))
  }
  const collection = collectionOf(domain, { path, from: of.collection })
  const followed = followedCollection(domain, query)
  return followed === undefined ? insertsOf(collection, query, () => true) : changesOf(followed, query)
}

const insertsOf = (
  collection: StoredCollection,
  { keep, shape }: LiveQuery,
  isOwn: (document: Document) => boolean,
): Source => ({
  collection,
  textOf({ document, resume }, asked) {
    const isKept = isOwn(document) && keep(document, asked.params, asked.caller)
    const item = isKept && shape(document, asked)
    return item ? dataEvent(item, resume) : ''
  },
})

const changesOf = (name: string, query: LiveQuery): Source => ({
  collection: changes,
  textOf({ document, resume }, asked) {
    if (document.collection !== name) return ''
    // The records of changes have documents in these members.
    const [before, after] = [document.before, document.after] as [Document | null, Document | null]
    if (!before && !after) return beginEvent(resume, true)
    const change = listChange(query, { before: before ?? undefined, after: after ?? undefined }, asked)
    return change ? dataEvent(change.item, resume, change.kind === 'inserted' ? undefined : change.kind) : ''
  },
})

/** The owner of a read turn: the caller, or for callers without a token their network address. */
const turnOwner = ({ id }: Caller, { address }: Request): string => (id === ANONYMOUS ? `at ${address}` : id)
