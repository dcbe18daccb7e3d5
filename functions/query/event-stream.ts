import type { Clock } from '#core/clock.ts'
import type { Request } from '#core/request.ts'
import type { Inserted } from '#core/store.ts'
import type { Fields } from '#domains/domain.ts'
import type { Listener } from './broadcast.ts'

export interface StreamParts {
  clock: Clock
  /** A number from 0 up to but not including 1, like `Math.random`. */
  random: () => number
}

/** The longest silence. A proxy may close a connection that is idle for longer. */
const HEARTBEAT_MS = 15_000
/** The longest stream. Knative ends a request after five minutes by default, which would look like a fault. */
const MAX_STREAM_MS = 240_000
/** The most characters that wait for a slow client. Beyond it the stream ends and the client reconnects. */
const MAX_WAITING = 262_144
/** The time over which clients spread their reconnects. */
const RETRY_MS = 3000

/**
 * The server-sent events of one client. `begun` says that nothing is missed from here on: reads after it leave no gap. `reset` says
 * the same, and that the inserts after `Last-Event-ID` are no longer known.
 */
export async function* eventStream(
  { clock, random }: StreamParts,
  { signal, closing }: Request,
  join: (listener: Listener) => () => void,
  textOf: (inserted: Inserted) => string,
): AsyncGenerator<string> {
  const until = clock.now() + MAX_STREAM_MS - random() * RETRY_MS
  const outbox = newOutbox()
  let isSilent = true
  /** The position after inserts that were not for this client. */
  let skippedTo: string | undefined

  function send(text: string): void {
    isSilent = false
    outbox.write(text)
  }

  /** A comment, or an id without data: a client that reconnects with it resumes from less far back. */
  function heartbeat(): string {
    const text = skippedTo === undefined ? ':\n\n' : `${idLine(skippedTo)}\n`
    skippedTo = undefined
    return text
  }

  async function beat(): Promise<void> {
    while (!outbox.ended.aborted) {
      isSilent = true
      await clock.sleep(Math.min(HEARTBEAT_MS, until - clock.now()), outbox.ended)
      if (clock.now() >= until) outbox.end()
      else if (isSilent && outbox.size() === 0) send(heartbeat())
    }
  }

  outbox.write(`retry: ${Math.round(RETRY_MS * (0.5 + random()))}\n\n`)
  const leave = join({
    begun: (position, isReset) => send(beginEvent(position, isReset)),
    inserted(inserted) {
      if (outbox.ended.aborted) return
      const text = textOf(inserted)
      skippedTo = text ? undefined : inserted.resume
      if (text) send(text)
      if (outbox.size() > MAX_WAITING) outbox.end()
    },
    ended: outbox.end,
  })
  const stops = [signal, closing]
  for (const stop of stops) stop.addEventListener('abort', outbox.end)
  if (closing.aborted) outbox.end()
  try {
    void beat()
    yield* outbox.texts(signal)
    if (skippedTo !== undefined) yield heartbeat()
  } finally {
    outbox.end()
    leave()
    for (const stop of stops) stop.removeEventListener('abort', outbox.end)
  }
}

/** The text that waits for one client. */
function newOutbox() {
  const ended = new AbortController()
  let waiting = ''
  let changed = Promise.withResolvers<void>()
  return {
    /** Aborts at the end, after which nothing more is written. */
    ended: ended.signal,
    size: () => waiting.length,
    write(text: string): void {
      waiting += text
      changed.resolve()
    },
    end(): void {
      ended.abort()
      changed.resolve()
    },
    /** Yields the text as it is written, until the end, or until `gone` aborts. */
    async *texts(gone: AbortSignal): AsyncGenerator<string> {
      while (!gone.aborted) {
        const text = waiting
        waiting = ''
        if (text) yield text
        else if (ended.signal.aborted) return
        else {
          changed = Promise.withResolvers()
          await changed.promise
        }
      }
    },
  }
}

/** The event `begun`, or `reset` if the client may have missed something before it. */
export const beginEvent = (position: string | undefined, isReset: boolean): string =>
  `event: ${isReset ? 'reset' : 'begun'}\ndata: {}\n${position === undefined ? '' : idLine(position)}\n`

/** An event with data, by default of the type `message`. Its id is the position after it. */
export const dataEvent = (data: Fields, position: string, type?: string): string =>
  `${type === undefined ? '' : `event: ${type}\n`}data: ${JSON.stringify(data)}\n${idLine(position)}\n`

const idLine = (position: string): string => `id: ${Buffer.from(position).toString('base64url')}\n`

/** The position from which a client resumes. */
export function positionIn({ headers }: Request): string | undefined {
  const id = headers['last-event-id']
  return id ? Buffer.from(String(id), 'base64url').toString('utf8') : undefined
}
