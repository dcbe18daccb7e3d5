import type { Place } from './places.ts'
import { fill } from './places.ts'
import { unanswered } from './problem.ts'
import { open, pause, pauseBefore, type Sending, send } from './send.ts'
import { linesOf } from './stream.ts'
import type { AskOptions, Page } from './types.ts'
import type { Unread } from './unread.ts'

export type Params = { [name: string]: unknown }

export interface Reading {
  sending: Sending
  site: string
  unread: Unread
}

const WITHIN_MS = 30_000
const NDJSON = 'application/x-ndjson'

/** One answer. */
export async function ask(reading: Reading, place: Place, params: Params, options: AskOptions): Promise<unknown> {
  const { text } = await reading.unread.readWith((receipts) =>
    send(reading.sending, asked(reading, place, params, receipts, options)),
  )
  return place.answers === 'total' ? BigInt(text) : JSON.parse(text)
}

/** Items, page by page. */
export async function* each(reading: Reading, place: Place, params: Params, options: AskOptions) {
  for (let cursor: string | null = null; ; ) {
    const page = (await ask(reading, place, cursor === null ? params : { ...params, cursor }, options)) as Page<unknown>
    yield* page.items
    cursor = page.next
    if (cursor === null) return
  }
}

/** Items in one stream. Cut off, it goes on behind the last one that was whole, as long as there is one more each time, or nearly so. */
export async function* lines(reading: Reading, place: Place, params: Params, options: AskOptions) {
  let cursor: string | undefined
  for (let idle = 1; ; idle++) {
    const from = cursor === undefined ? params : { ...params, cursor }
    const body = await reading.unread.readWith((receipts) =>
      open(reading.sending, asked(reading, place, from, receipts, options, { accept: NDJSON })),
    )
    try {
      for await (const line of linesOf(body)) {
        const { cursor: at, ...item } = JSON.parse(line) as { cursor: string }
        cursor = at
        idle = 0
        yield item
      }
      return
    } catch (error) {
      options.signal?.throwIfAborted()
      if (idle >= reading.sending.attempts) throw unanswered(error)
    }
    await pause(pauseBefore(idle), options.signal)
  }
}

/** What is sent for a query. */
export function asked(
  { site }: Reading,
  { method, path }: Place,
  params: Params,
  receipts: string[],
  { signal }: AskOptions,
  headers: Record<string, string> = {},
) {
  const { path: filled, rest } = fill(path, params)
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) query.append(name, String(value))
  for (const receipt of receipts) query.append('after', receipt)
  const url = `${site}${filled}${query.size > 0 ? `?${query}` : ''}`
  return { url, method, headers, signal, withinMs: WITHIN_MS }
}
