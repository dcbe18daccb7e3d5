import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Event, Outcome } from '../event.ts'
import { failed, letterKept } from '../telemetry/metrics.ts'
import { readBody, TooLarge } from './body.ts'
import { eventOf, KEPT_BYTES, oversized } from './cloudevent.ts'
import { Problem } from './http.ts'
import { refuse } from './refuse.ts'

const TITLES: Record<Exclude<Outcome['status'], 204>, string> = {
  404: 'Not found',
  422: 'Parked',
  500: 'Fault',
  503: 'Unavailable',
}

/** Hands a delivery to `serve`, be it an event or not, and answers with the outcome: KafkaSource goes by the status. */
export async function deliver(
  serve: (event: Event) => Promise<Outcome>,
  maxBodyBytes: number,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { status, detail = '' } = await serve(await read(req, maxBodyBytes))
  if (res.headersSent || res.destroyed) return
  if (status === 204) return void res.writeHead(204).end()
  if (status === 422) letterKept()
  if (status === 500) failed('bug')
  if (status === 503) failed('store')
  const headers: Record<string, string> = status === 503 ? { 'retry-after': '1' } : {}
  refuse(req, res, new Problem(status, TITLES[status], detail, { headers }))
}

async function read(req: IncomingMessage, maxBodyBytes: number): Promise<Event> {
  try {
    return eventOf(req.headers, await readBody(req, maxBodyBytes, KEPT_BYTES))
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error
    req.resume()
    return oversized(req.headers, error.head, error.message)
  }
}
