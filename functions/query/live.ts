import type { Clock } from '#core/clock.ts'
import { events, streamKey } from '#core/collections.ts'
import { ANONYMOUS } from '#core/ids.ts'
import type { Request } from '#core/request.ts'
import type { Inserted } from '#core/store.ts'
import type { Telemetry } from '#core/telemetry.ts'
import type { Caller, Domain, Fields } from '#domains/domain.ts'
import type { LiveQuery } from '#domains/query.ts'
import { type Answering, collectionOf } from './answer.ts'
import type { Listener } from './broadcast.ts'
import type { Feeds } from './feeds.ts'

export interface LiveParts extends Telemetry {
  feeds: Feeds
  clock: Clock
}

/** So that nobody on the way takes the silence for the end. */
const HEARTBEAT_MS = 15_000
/** Knative ends a request after five minutes where it is not told otherwise; then it would look like a fault. */
const LONGEST_MS = 240_000
/** A client that is slower than what happens has this much waiting for it at most, in characters; then it is to come again. */
const MOST_WAITING = 262_144
/** Clients come again in the course of this time, not all at once. */
const RETRY_MS = 3000

const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }

/**
 * Server-sent events: what is inserted from now on, or behind `Last-Event-ID`. `begun` says that from here on nothing is missed:
 * what is read after it has come has no gap. `reset` says so too, where what came behind `Last-Event-ID` is no longer known.
 */
export function live({ feeds, clock, logger, metrics }: LiveParts, domain: Domain, query: LiveQuery): Answering {
  const { of, path } = query
  const collection = of === 'events' ? events : collectionOf(domain, { path, from: of.collection })
  const own = streamKey(domain.name, '')
  const texts = new WeakMap<Inserted, string>()

  /** A document that breaks its domain's code is left out, and nobody else's stream breaks off. */
  function textOf(inserted: Inserted, params: Fields): string {
    try {
      return shapedText(inserted, params)
    } catch (error) {
      metrics.failed('bug')
      logger.error({ err: error }, 'a live query failed')
      return ''
    }
  }

  function shapedText(inserted: Inserted, params: Fields): string {
    const { document } = inserted
    if (of === 'events' && !String(document.key).startsWith(own)) return ''
    if (!query.keep(document, params)) return ''
    const text = texts.get(inserted) ?? `data: ${JSON.stringify(query.shape(document))}\n${idOf(inserted.resume)}\n`
    texts.set(inserted, text)
    return text
  }

  return async ({ request, caller, params }) => {
    const place = placeIn(request)
    const join = (listener: Listener) => feeds.join(collection, place, listener, turnOf(caller, request))
    return { status: 200, headers, body: told(clock, request, join, (inserted) => textOf(inserted, params)) }
  }
}

async function* told(
  clock: Clock,
  { signal, closing }: Request,
  join: (listener: Listener) => () => void,
  textOf: (inserted: Inserted) => string,
): AsyncGenerator<string> {
  const until = clock.now() + LONGEST_MS - Math.random() * RETRY_MS
  const over = new AbortController()
  let news = Promise.withResolvers<void>()
  let waiting = `retry: ${Math.round(RETRY_MS * (0.5 + Math.random()))}\n\n`
  let isSilent = true
  /** Of what was not for this client, behind all that was. */
  let place: string | undefined

  function tell(text: string): void {
    waiting += text
    isSilent = false
    news.resolve()
  }

  function end(): void {
    over.abort()
    news.resolve()
  }

  async function beat(): Promise<void> {
    while (!over.signal.aborted) {
      isSilent = true
      await clock.sleep(Math.min(HEARTBEAT_MS, until - clock.now()), over.signal)
      if (clock.now() >= until) end()
      else if (isSilent && !waiting) tell(passed())
    }
  }

  /** An id without data tells nothing, but the client comes again with it, and so from less far back. */
  function passed(): string {
    const text = place === undefined ? ':\n\n' : `${idOf(place)}\n`
    place = undefined
    return text
  }

  const leave = join({
    begun(from, isReset) {
      tell(`event: ${isReset ? 'reset' : 'begun'}\ndata: {}\n${from === undefined ? '' : idOf(from)}\n`)
    },
    inserted(inserted) {
      if (over.signal.aborted) return
      const text = textOf(inserted)
      place = text ? undefined : inserted.resume
      if (text) tell(text)
      if (waiting.length > MOST_WAITING) end()
    },
    ended: end,
  })
  signal.addEventListener('abort', end)
  closing.addEventListener('abort', end)
  if (closing.aborted) end()
  try {
    void beat()
    while (!signal.aborted) {
      const text = waiting
      waiting = ''
      if (text) {
        yield text
        continue
      }
      if (over.signal.aborted) break
      news = Promise.withResolvers()
      await news.promise
    }
    if (place !== undefined) yield passed()
  } finally {
    over.abort()
    leave()
    signal.removeEventListener('abort', end)
    closing.removeEventListener('abort', end)
  }
}

/** Whose turn a read is: without a token all who share an address share their turns. */
const turnOf = ({ id }: Caller, { address }: Request): string => (id === ANONYMOUS ? `at ${address}` : id)

const idOf = (place: string): string => `id: ${Buffer.from(place).toString('base64url')}\n`

function placeIn({ headers }: Request): string | undefined {
  const id = headers['last-event-id']
  return id ? Buffer.from(String(id), 'base64url').toString('utf8') : undefined
}
