import { fill, type Place } from './places.ts'
import { Problem } from './problem.ts'
import { asked, type Params, type Reading } from './reads.ts'
import { open, pause } from './send.ts'
import { eventsOf } from './stream.ts'
import type { LiveOptions } from './types.ts'

const FIRST_RETRY_MS = 3000
/** Longer than the server is ever silent. */
const SILENT_MS = 45_000

/** Items as they come, for as long as the caller wants them: however often it is cut off, it comes again where it was. */
export async function* live(reading: Reading, place: Place, params: Params, options: LiveOptions) {
  const { signal, begun } = options
  // Params that fit no path never will: that is told, not tried again.
  fill(place.path, params)
  let last: string | undefined
  let retry = FIRST_RETRY_MS
  let isFirst = true
  for (;;) {
    const silence = silent(signal)
    try {
      const headers = { accept: 'text/event-stream', ...(last === undefined ? {} : { 'last-event-id': last }) }
      const body = await reading.unread.readWith((receipts) =>
        open(reading.sending, asked(reading, place, params, receipts, { signal: silence.signal }, headers)),
      )
      for await (const told of eventsOf(body)) {
        silence.broken()
        last = told.id ?? last
        retry = told.retry ?? retry
        if (told.event === 'reset' || (told.event === 'begun' && isFirst)) {
          isFirst = false
          begun?.()
        }
        if (told.event === 'message' && told.data !== '') yield JSON.parse(told.data) as unknown
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) throw error
    } finally {
      silence.end()
    }
    await pause(retry, signal)
  }
}

/** Aborts with the caller, and when nothing has come for so long that nothing will. */
function silent(signal: AbortSignal | undefined) {
  const late = new AbortController()
  const gone = () => late.abort(new Error('the stream fell silent'))
  let timer = setTimeout(gone, SILENT_MS)
  return {
    signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
    broken() {
      clearTimeout(timer)
      timer = setTimeout(gone, SILENT_MS)
    },
    end: () => clearTimeout(timer),
  }
}
