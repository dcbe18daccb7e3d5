import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { Problem } from '#core/problem.ts'
import { sendProblem, sendRawProblem, toClientErrorProblem } from './error-response.ts'

/** The responses that a server has yet to finish, in the order in which their requests began. */
export class OpenResponses {
  readonly #startTimes = new Map<ServerResponse, number>()

  add(res: ServerResponse, startTime: number): void {
    this.#startTimes.set(res, startTime)
  }

  delete(res: ServerResponse): void {
    this.#startTimes.delete(res)
  }

  /** Responds to bytes that node:http could not read. The response comes after those to earlier requests on the connection. */
  refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
    const last = this.#lastOn(socket)
    if (error.code === 'ECONNRESET') socket.destroy()
    else if (!last) sendRawProblem(socket, toClientErrorProblem(error))
    else if (last.req.complete) last.once('finish', () => sendRawProblem(socket, toClientErrorProblem(error)))
    else {
      sendProblem(last.req, last, toClientErrorProblem(error))
      last.end()
    }
  }

  /** Responds with 503 to requests that take longer than `limitMs`. It looks once a second. */
  watch(limitMs: number): NodeJS.Timeout {
    const refuseLate = () => this.#refuseLate(performance.now() - limitMs)
    return setInterval(refuseLate, Math.min(1000, limitMs / 2)).unref()
  }

  /** Responds with 503 to requests that began before `startTime`, unless their response has begun. */
  #refuseLate(startTime: number): void {
    for (const [res, started] of this.#startTimes) {
      if (started > startTime) return
      // A response that waits for its turn on a broken connection emits no event.
      if (res.req.socket.destroyed) this.delete(res)
      else if (!res.headersSent) {
        sendProblem(res.req, res, new Problem(503, 'Too slow', 'The function did not respond in time.'))
      }
    }
  }

  /** Makes the last response on each connection close it. */
  closeConnections(): void {
    for (const socket of new Set([...this.#startTimes.keys()].map((res) => res.req.socket))) {
      const last = this.#lastOn(socket)
      if (last && !last.headersSent) last.shouldKeepAlive = false
    }
  }

  #lastOn(socket: Duplex): ServerResponse | undefined {
    return [...this.#startTimes.keys()].findLast((res) => res.req.socket === socket)
  }
}
