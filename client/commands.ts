import { fill, type Place } from './places.ts'
import { Problem } from './problem.ts'
import { type Sending, send } from './send.ts'
import type { Line, Outcome, SendOptions } from './types.ts'
import type { Unread } from './unread.ts'

export interface Commanding {
  sending: Sending
  site: string
  unread: Unread
}

const LONGEST_WAIT_SECONDS = 20
/** What an answer may take longer than its outcome is waited for. */
const ROUND_TRIP_MS = 10_000

/** Sends a command, or a batch of them, as often as it takes, under one key; resolves with what came of it. */
export async function command(
  { sending, site, unread }: Commanding,
  { method, path, hasBody }: Place,
  data: unknown,
  { key = newKey(), wait = LONGEST_WAIT_SECONDS, version, signal }: SendOptions,
): Promise<unknown> {
  const isBatch = Array.isArray(data)
  const { path: filled, rest } = isBatch
    ? { path, rest: data }
    : fill(path, (data ?? {}) as { [name: string]: unknown })
  const answer = await send(sending, {
    url: site + filled,
    method,
    headers: {
      'idempotency-key': key,
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
      ...(wait > 0 ? { prefer: `wait=${wait}` } : {}),
      ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
    },
    ...(hasBody ? { body: JSON.stringify(rest) } : {}),
    signal,
    withinMs: wait * 1000 + ROUND_TRIP_MS,
  }).catch((error) => {
    throw error instanceof Problem ? error.of(key) : error
  })
  const told = JSON.parse(answer.text) as Outcome | Line[]
  const location = answer.headers.get('location')
  if (Array.isArray(told)) for (const { receipt } of told) unread.sent(receipt)
  else if (answer.headers.get('preference-applied') !== 'wait') unread.sent(told.receipt ?? location)
  return told
}

/** Also where crypto.randomUUID is not: on a page that came over plain HTTP. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
