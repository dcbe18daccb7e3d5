import type { Connection } from './connection.ts'
import { fillPath } from './operations.ts'
import { Problem } from './problem.ts'
import { type Read, requestOf } from './reads.ts'
import { open, pause } from './send.ts'
import { eventsOf } from './stream.ts'
import type { LiveOptions } from './types.ts'

const FIRST_RETRY_MS = 3000
/** The longest silence of a live stream: longer than the server's heartbeat. */
const MAX_SILENCE_MS = 45_000

/** The kinds of changes in a live list, by the type of their server-sent event. */
export const KINDS = new Map([
  ['message', 'inserted'],
  ['changed', 'changed'],
  ['removed', 'removed'],
])

/** The items of a live query, or the changes of a live list. It reconnects where it was, until the caller stops. */
export async function* live(connection: Connection, read: Read, { signal, begun }: LiveOptions) {
  // Throws at once for parameters that do not fit the path, instead of retrying.
  fillPath(read.operation.path, read.params)
  let lastId: string | undefined
  let retry = FIRST_RETRY_MS
  let hasBegun = false
  for (;;) {
    const silence = silenceTimer(signal)
    try {
      const headers = { accept: 'text/event-stream', ...(lastId === undefined ? {} : { 'last-event-id': lastId }) }
      const body = await connection.ownWrites.readAfter((receipts) =>
        open(connection.transport, requestOf(connection, read, { receipts, signal: silence.signal, headers })),
      )
      for await (const message of eventsOf(body)) {
        silence.restart()
        lastId = message.id ?? lastId
        retry = message.retry ?? retry
        if (message.event === 'reset' || (message.event === 'begun' && !hasBegun)) {
          hasBegun = true
          begun?.()
        }
        const kind = KINDS.get(message.event)
        if (kind === undefined || message.data === '') continue
        const item: unknown = JSON.parse(message.data)
        yield read.operation.isList ? { kind, item } : item
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) throw error
    } finally {
      silence.stop()
    }
    await pause(retry, signal)
  }
}

/** A signal that aborts with the caller's, or when the stream has been silent for too long. */
function silenceTimer(signal: AbortSignal | undefined) {
  const timeout = new AbortController()
  const abort = () => timeout.abort(new Error('the stream was silent for too long'))
  let timer = setTimeout(abort, MAX_SILENCE_MS)
  return {
    signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
    restart() {
      clearTimeout(timer)
      timer = setTimeout(abort, MAX_SILENCE_MS)
    },
    stop: () => clearTimeout(timer),
  }
}
