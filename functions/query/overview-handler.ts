import { type Clock, inTime } from '#core/clock.ts'
import { unlessKnown } from '#core/etag.ts'
import { Problem, RETRY_SOON } from '#core/problem.ts'
import { jsonResponse, type Request, type Response, type ServedBy } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { toProblem } from '#core/to-problem.ts'
import type { Caller } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import type { QueryHandler } from './handler.ts'

/** A query whose answer is a part of the overview. `ask` runs the query as a request of the caller. */
export interface OverviewPart {
  query: Query
  servedBy: ServedBy
  ask(request: Request, caller: Caller): Promise<Response>
}

/** The time after which a part is left out, since the overview is as slow as its slowest part. */
const PART_MS = 1000

/**
 * Answers several reads at once. A part that is unavailable, late or not allowed for the caller is left out and listed in `missing`.
 * The answer is 503 only if an outage leaves no part at all.
 */
export function overviewHandler(
  { clock, ...telemetry }: Telemetry & { clock: Clock },
  parts: OverviewPart[],
): QueryHandler {
  const all = new Map(parts.map((part) => [part.query.overview?.part ?? part.query.path, part]))

  async function read(part: OverviewPart, request: Request, caller: Caller): Promise<string | Problem> {
    try {
      return await inTime(clock, clock.now() + PART_MS, textOf(part, request, caller), tooSlow)
    } catch (error) {
      return toProblem(error, { trace: request.trace, route: part.query.path, servedBy: part.servedBy }, telemetry)
    }
  }

  return async ({ request, caller }) => {
    const answers = await Promise.all(
      [...all].map(async ([part, query]) => ({ part, answer: await read(query, request, caller) })),
    )
    const texts = answers.flatMap(({ part, answer }) => (typeof answer === 'string' ? [{ part, text: answer }] : []))
    const problems = answers.flatMap(({ part, answer }) =>
      answer instanceof Problem ? [{ part, problem: answer }] : [],
    )
    if (texts.length === 0 && problems.some(({ problem }) => problem.status >= 500)) {
      const headers = RETRY_SOON
      throw new Problem(503, 'Store unavailable', 'No part of the overview can be read now.', { headers })
    }
    const missing = problems.map(({ part, problem }) => ({ part, reason: problem.message }))
    // The body is put together as text, since a total may exceed what a number holds.
    const members = texts.map(({ part, text }) => `${JSON.stringify(part)}:${text}`)
    const body = `{"parts":{${members.join()}},"missing":${JSON.stringify(missing)}}`
    return unlessKnown(request, { ...jsonResponse(200, undefined, { 'cache-control': 'no-cache' }), body })
  }
}

const tooSlow = () => new Problem(503, 'Too slow', 'This part was not read within a second.')

/** The answer of a part as JSON text. */
async function textOf({ query, ask }: OverviewPart, request: Request, caller: Caller): Promise<string> {
  const { params = () => ({}) } = query.overview ?? {}
  const given = params(caller)
  if (!given) throw new Problem(403, 'Not allowed', 'This caller has no such part.')
  const { body: none, trace, signal, closing } = request
  const search = new URLSearchParams(given)
  const { path } = query
  const part = { method: 'GET', path, query: search, headers: {}, body: none, trace, signal, closing, route: '' }
  const { body } = await ask(part, caller)
  return String(body)
}
