import type { IncomingMessage, ServerResponse } from 'node:http'
import { eventOf, KEPT_BYTES, oversized } from '#core/cloudevent.ts'
import type { Delivery, Outcome } from '#core/delivery.ts'
import { Problem } from '#core/problem.ts'
import type { Metrics } from '#core/telemetry.ts'
import { readBody, TooLarge } from './body.ts'
import { refuse } from './refuse.ts'

const TITLES: Record<Exclude<Outcome['status'], 204>, string> = {
  404: 'Not found',
  422: 'Parked',
  500: 'Fault',
  503: 'Unavailable',
}

interface DeliveryOptions {
  serve(event: Delivery): Promise<Outcome>
  maxBodyBytes: number
  metrics: Metrics
}

/** Hands a delivery to `serve`, be it an event or not, and answers with the outcome: KafkaSource goes by the status. */
export async function deliver(
  { serve, maxBodyBytes, metrics }: DeliveryOptions,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { status, detail = '' } = await serve(await read(req, maxBodyBytes))
  if (res.headersSent || res.destroyed) return
  if (status === 204) return void res.writeHead(204).end()
  if (status === 422) metrics.letterKept()
  if (status === 500) metrics.failed('bug')
  if (status === 503) metrics.failed('store')
  const headers: Record<string, string> = status === 503 ? { 'retry-after': '1' } : {}
  refuse(req, res, new Problem(status, TITLES[status], detail, { headers }))
}

async function read(req: IncomingMessage, maxBodyBytes: number): Promise<Delivery> {
  try {
    return eventOf(req.headers, await readBody(req, maxBodyBytes, KEPT_BYTES))
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error
    req.resume()
    return oversized(req.headers, error.head, error.message)
  }
}
