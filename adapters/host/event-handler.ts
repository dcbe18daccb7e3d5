import type { IncomingMessage, ServerResponse } from 'node:http'
import { KEPT_BYTES, oversizedDelivery, toDelivery } from '#core/cloudevent.ts'
import type { Delivery, Outcome } from '#core/delivery.ts'
import { Problem, RETRY_SOON } from '#core/problem.ts'
import type { Metrics } from '#core/telemetry.ts'
import { BodyTooLarge, readBody } from './body.ts'
import { sendProblem } from './error-response.ts'

const TITLES: Record<Exclude<Outcome['status'], 204>, string> = {
  404: 'Not found',
  422: 'Parked',
  500: 'Fault',
  503: 'Unavailable',
}

interface EventHandler {
  serve(event: Delivery): Promise<Outcome>
  maxBodyBytes: number
  metrics: Metrics
}

/** Passes a delivery to `serve`, whether it is a valid event or not, and responds with the outcome. A KafkaSource acts on the status. */
export async function handleEvent(
  { serve, maxBodyBytes, metrics }: EventHandler,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { status, detail = '' } = await serve(await readDelivery(req, maxBodyBytes))
  if (res.headersSent || res.destroyed) return
  if (status === 204) return void res.writeHead(204).end()
  if (status === 422) metrics.letterKept()
  if (status === 500) metrics.failed('bug')
  if (status === 503) metrics.failed('store')
  const headers: Record<string, string> = status === 503 ? RETRY_SOON : {}
  sendProblem(req, res, new Problem(status, TITLES[status], detail, { headers }))
}

async function readDelivery(req: IncomingMessage, maxBodyBytes: number): Promise<Delivery> {
  try {
    return toDelivery(req.headers, await readBody(req, maxBodyBytes, KEPT_BYTES))
  } catch (error) {
    if (!(error instanceof BodyTooLarge)) throw error
    req.resume()
    return oversizedDelivery(req.headers, error.head, error.message)
  }
}
