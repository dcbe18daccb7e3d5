import type { Clock } from '#core/clock.ts'
import { unlessKnown } from '#core/etag.ts'
import { Problem, RETRY_SOON } from '#core/problem.ts'
import { jsonResponse, type Request, type Response } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { toProblem } from '#core/to-problem.ts'
import type { Caller } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import type { Answering } from './answer.ts'

/** A query of which the answer is a part, and how it is asked. */
export interface Part {
  query: Query
  ask(request: Request, caller: Caller): Promise<Response>
}

/** A part that takes longer is left out: the whole is as slow as its slowest part. */
const PART_MS = 1000
const STREAMS: Query['answers'][] = ['all', 'live']

/**
 * Several reads in one answer, all at once. A part that is away, late or not for this caller is left out and named; only where an
 * outage leaves nothing at all it is a 503.
 */
export function overview({ clock, ...telemetry }: Telemetry & { clock: Clock }, parts: Part[]): Answering {
  const all = new Map(parts.map((part) => [part.query.overview?.part ?? part.query.path, part]))
  const streams = parts.filter(({ query }) => STREAMS.includes(query.answers))
  if (all.size < parts.length || streams.length > 0) {
    throw new Error(
      `/api/overview: ${parts.map(({ query }) => query.path)} are not parts of their own, each with an end`,
    )
  }

  async function read({ query, ask }: Part, request: Request, caller: Caller): Promise<string> {
    const { params = () => ({}) } = query.overview ?? {}
    const asked = params(caller)
    if (!asked) throw new Problem(403, 'Not allowed', 'There is nothing of it for this caller.')
    const { body: none, trace, signal, closing } = request
    const behind = new URLSearchParams(asked)
    const part = {
      method: 'GET',
      path: query.path,
      query: behind,
      headers: {},
      body: none,
      trace,
      signal,
      closing,
      route: '',
    }
    const { body } = await ask(part, caller)
    return String(body)
  }

  async function inTime(part: Part, request: Request, caller: Caller): Promise<string | Problem> {
    const isRead = new AbortController()
    const late = clock.sleep(PART_MS, isRead.signal).then(() => {
      throw new Problem(503, 'Too slow', 'There was no answer in time.')
    })
    late.catch(() => undefined)
    try {
      return await Promise.race([read(part, request, caller), late])
    } catch (error) {
      return toProblem(error, request.trace, telemetry)
    } finally {
      isRead.abort()
    }
  }

  return async ({ request, caller }) => {
    const found = await Promise.all(
      [...all].map(async ([name, part]) => [name, await inTime(part, request, caller)] as const),
    )
    const there = found.filter((one): one is [string, string] => typeof one[1] === 'string')
    const problems = found.flatMap(([part, answer]) => (typeof answer === 'string' ? [] : [{ part, answer }]))
    if (there.length === 0 && problems.some(({ answer }) => answer.status >= 500)) {
      throw new Problem(503, 'Store unavailable', 'No part can be read now.', { headers: RETRY_SOON })
    }
    const missing = problems.map(({ part, answer }) => ({ part, reason: answer.message }))
    // As text: a total may be larger than a number can say.
    const texts = there.map(([name, text]) => `${JSON.stringify(name)}:${text}`)
    const body = `{"parts":{${texts.join()}},"missing":${JSON.stringify(missing)}}`
    return unlessKnown(request, { ...jsonResponse(200, undefined, { 'cache-control': 'no-cache' }), body })
  }
}
