import type { Connection } from './connection.ts'
import { fillPath, type Operation } from './operations.ts'
import { Problem } from './problem.ts'
import { send } from './send.ts'
import type { Line, Outcome, SendOptions } from './types.ts'

const MAX_WAIT_SECONDS = 20
/** The time that a response may take longer than the outcome is waited for. */
const ROUND_TRIP_MS = 10_000

/** Sends a command, or a batch of commands, with retries under one key, and resolves to the response. */
export async function command(
  { transport, site, ownWrites }: Connection,
  { method, path, hasBody }: Operation,
  data: unknown,
  { key = newKey(), wait = MAX_WAIT_SECONDS, version, signal }: SendOptions,
): Promise<unknown> {
  const isBatch = Array.isArray(data)
  const { path: filled, rest } = isBatch
    ? { path, rest: data }
    : fillPath(path, (data ?? {}) as { [name: string]: unknown })
  const response = await send(transport, {
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
    timeoutMs: wait * 1000 + ROUND_TRIP_MS,
  }).catch((error) => {
    throw error instanceof Problem ? error.withKey(key) : error
  })
  const outcome = JSON.parse(response.text) as Outcome | Line[]
  const location = response.headers.get('location')
  if (Array.isArray(outcome)) for (const { receipt } of outcome) ownWrites.sent(receipt)
  else if (response.headers.get('preference-applied') !== 'wait') ownWrites.sent(outcome.receipt ?? location)
  return outcome
}

/** A random key. A page that came over plain HTTP has no crypto.randomUUID. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
