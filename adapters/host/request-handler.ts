import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { KEPT_BYTES, oversizedDelivery, toDelivery } from '#core/cloudevent.ts'
import type { Delivery, Outcome } from '#core/delivery.ts'
import { Problem, RETRY_SOON } from '#core/problem.ts'
import { traceOf } from '#core/request.ts'
import type { Metrics, Telemetry } from '#core/telemetry.ts'
import { sendProblem, toHostProblem } from './error-response.ts'
import type { FunctionRequest, HttpFunction } from './http.ts'
import { BodyTooLarge, ClientGone, checkEncoding, checkRequest, readBody } from './incoming.ts'
import type { OpenResponses } from './open-responses.ts'

/** A function and the requests that it serves. */
export type Mount = HttpMount | EventMount

export interface HttpMount {
  kind: 'http'
  name: string
  /** The methods that it serves; all of them without this. */
  methods?: readonly string[]
  /** The paths that it serves; all of them without this. One that ends with a slash stands for all that begin with it. */
  paths?: readonly string[]
  /** The largest body of a request, if it differs from the host's limit. */
  maxBodyBytes?(method: string, path: string): number | undefined
  serve: HttpFunction
}

export interface EventMount {
  kind: 'cloudevent'
  name: string
  path: string
  serve(event: Delivery): Promise<Outcome>
}

/** The status of requests whose client was gone before the response. HTTP does not define it, but many servers count by it. */
const CLIENT_GONE = 499

interface RequestHandling {
  server: Server
  /** The first one that accepts a request serves it. */
  mounts: Mount[]
  responses: OpenResponses
  /** Aborts when the host drains. */
  closing: AbortSignal
  maxBodyBytes: number
  telemetry: Telemetry
  /** Throws a problem for a request that no mount may serve. */
  admit?(req: IncomingMessage): void
}

/** Returns the listener that passes a request to its mount, or responds with a problem. */
export function requestHandler({
  server,
  mounts,
  responses,
  closing,
  maxBodyBytes,
  telemetry,
  admit,
}: RequestHandling) {
  const { metrics } = telemetry
  const getClosing = () => closing
  return async function onRequest(req: FunctionRequest, res: ServerResponse): Promise<void> {
    const started = performance.now()
    const { method = 'GET', url = '/' } = req
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    const mount = mounts.find((mount) => isServed(mount, method, path))
    responses.add(res, started)
    req.closing = getClosing
    res.on('close', () => {
      responses.delete(res)
      const status = res.headersSent ? res.statusCode : CLIENT_GONE
      const labels = { function: mount?.name ?? 'host', method, route: req.matched ?? '', status }
      metrics.requestDone(labels, performance.now() - started)
      if (closing.aborted) setImmediate(() => server.closeIdleConnections())
    })
    if (closing.aborted) res.shouldKeepAlive = false
    try {
      checkRequest(req)
      admit?.(req)
      if (!mount) throw new Problem(404, 'Not found', `There is nothing at ${path}.`)
      if (mount.kind === 'cloudevent') return await handleEvent({ serve: mount.serve, maxBodyBytes, metrics }, req, res)
      checkEncoding(req)
      const body = readBody(req, mount.maxBodyBytes?.(method, path) ?? maxBodyBytes)
      req.rawBody = body instanceof Promise ? await body : body
      await mount.serve(req, res)
    } catch (error) {
      if (error instanceof ClientGone) return
      const trace = traceOf(req.headers)
      sendProblem(req, res, toHostProblem(error, trace, telemetry), trace)
    }
  }
}

/** True if a mount serves the request. */
function isServed(mount: Mount, method: string, path: string): boolean {
  if (mount.kind === 'cloudevent') return mount.path === path && method === 'POST'
  const { methods, paths } = mount
  if (methods && !methods.includes(method)) return false
  return !paths || paths.some((served) => path === served || (served.endsWith('/') && path.startsWith(served)))
}

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
async function handleEvent(
  { serve, maxBodyBytes, metrics }: EventHandler,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const problem = problemOf(await serve(await readDelivery(req, maxBodyBytes)), metrics)
  if (res.headersSent || res.destroyed) return
  if (problem) sendProblem(req, res, problem)
  else res.writeHead(204).end()
}

/** The problem that a KafkaSource gets for an outcome, which it counts. None if the delivery is done. */
export function problemOf({ status, detail = '' }: Outcome, metrics: Metrics): Problem | undefined {
  if (status === 204) return undefined
  if (status === 422) metrics.letterKept()
  if (status === 500) metrics.failed('bug')
  if (status === 503) metrics.failed('store')
  return new Problem(status, TITLES[status], detail, { headers: status === 503 ? RETRY_SOON : {} })
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
