import { traceOf } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { sendProblem, toHostProblem } from './error-response.ts'
import type { HttpFunction } from './http.ts'
import { BodyTooLarge, ClientGone, checkEncoding, checkRequest, readBody } from './incoming.ts'

/**
 * A function as functions-framework serves it. The framework reads bodies of up to 1 GB and decompresses them, so this applies the checks
 * of our host. The framework leaves a body without a content type unread.
 */
export const withRequestChecks =
  (serve: HttpFunction, maxBodyBytes: (method: string, path: string) => number, telemetry: Telemetry): HttpFunction =>
  async (req, res) => {
    try {
      checkRequest(req)
      checkEncoding(req)
      const { method = 'GET', url = '/' } = req
      const limit = maxBodyBytes(method, url.split('?', 1)[0] ?? '')
      if (req.rawBody === undefined && !req.readableEnded) req.rawBody = await readBody(req, limit)
      if (req.rawBody && req.rawBody.length > limit) throw new BodyTooLarge(limit, req.rawBody)
    } catch (error) {
      if (error instanceof ClientGone) return
      const trace = traceOf(req.headers)
      return sendProblem(req, res, toHostProblem(error, trace, telemetry), trace)
    }
    await serve(req, res)
  }
