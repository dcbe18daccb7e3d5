import { Problem } from '#core/problem.ts'
import { receiptPath } from '#core/registry.ts'
import type { Request, Response } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { toProblem } from '#core/to-problem.ts'
import type { Caller, Route } from '#domains/domain.ts'
import { itemCheck, parseJson, parseWithFlaws } from './parse-json.ts'
import { assertSize, mediaType, toCommandData, utf8 } from './parse-request.ts'
import type { CommandRoute } from './publisher.ts'
import type { Submit } from './submit.ts'

const NDJSON = 'application/x-ndjson'
const MOST_LINES = 10_000
/** On their way to the log at once. */
const WINDOW = 1000

/** What became of one line; `status` is what it would have been answered alone. */
interface Answered {
  line: number
  status: number
  [member: string]: unknown
}

interface Line {
  /** From 1. */
  number: number
  bytes(): number
  read(): unknown
}

/** A batch route takes one command too, as a JSON object. */
export const isBatch = (request: Request, route: Route): boolean =>
  route.body === 'batch' && (mediaType(request) === NDJSON || request.body[firstIn(request.body)] === OPENING)

const OPENING = '['.charCodeAt(0)
const firstIn = (body: Buffer): number => body.findIndex((byte) => byte > 0x20)

interface BatchRequest {
  request: Request
  target: CommandRoute
  params: Record<string, string | undefined>
  caller: Caller
}

/**
 * Many commands in one request: each line is taken or refused by itself, in the order in which they stand. 202 when all are
 * taken, 207 when some are not, 503 when the log took none. With an Idempotency-Key the whole may be repeated: each line
 * takes effect once.
 */
export async function submitBatch(
  { request, target, params, caller }: BatchRequest,
  submit: Submit,
  telemetry: Telemetry,
): Promise<Response> {
  const isNdjson = mediaType(request) === NDJSON
  const lines = isNdjson ? linesOf(utf8(request.body)) : itemsOf(request)
  if (lines.length === 0) throw new Problem(422, 'Empty batch', 'There is no command in the batch.')
  const { headers, trace, signal, from } = request
  /** Only while nothing is in the log can the whole be a 503: lines that follow others have a time limit of their own. */
  let { arrived } = request
  const answers: Answered[] = []
  for (let at = 0; at < lines.length; at += WINDOW) {
    const isAway = answers.some(({ status }) => status === 503)
    const window = lines.slice(at, at + WINDOW)
    answers.push(...(isAway ? window.map(untried) : await Promise.all(window.map(take))))
    if (answers.some(({ status }) => status === 202)) arrived = undefined
  }
  const isTaken = answers.some(({ status }) => status === 202)
  if (!isTaken && answers.some(({ status }) => status === 503)) {
    const detail = 'The log can not take commands now. Repeat the batch later, with its Idempotency-Key if it has one.'
    throw new Problem(503, 'Log unavailable', detail, { headers: { 'retry-after': '1' }, members: { lines: answers } })
  }
  const status = answers.every(({ status }) => status === 202) ? 202 : 207
  if (!isNdjson) return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(answers) }
  const body = answers.map((answer) => `${JSON.stringify(answer)}\n`).join('')
  return { status, headers: { 'content-type': NDJSON }, body }

  async function take({ number: line, bytes, read }: Line): Promise<Answered> {
    try {
      assertSize(bytes())
      const data = toCommandData(read(), target.route, target.command, params)
      const { id, receipt } = await submit(target, data, caller, { headers, trace, arrived, signal, from, line })
      return { line, status: 202, id, receipt: receiptPath(receipt) }
    } catch (error) {
      const { status, message: detail, members } = toProblem(error, trace, telemetry)
      return { line, status, detail, ...members }
    }
  }
}

const untried = ({ number: line }: Line): Answered => ({
  line,
  status: 503,
  detail: 'Not tried: the log could not take a line before it.',
})

const tooMany = () => new Problem(413, 'Content too large', `A batch takes at most ${MOST_LINES} commands.`)

/** Nothing is made of more lines than are taken, blank ones among them. */
function linesOf(text: string): Line[] {
  const lines: Line[] = []
  let number = 0
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from)
    const line = text.slice(from, end < 0 ? text.length : end)
    from = end < 0 ? text.length : end + 1
    if (++number > 2 * MOST_LINES) throw tooMany()
    if (line.trim() === '') continue
    if (lines.length === MOST_LINES) throw tooMany()
    lines.push({ number, bytes: () => Buffer.byteLength(line), read: () => parseJson(line) })
  }
  return lines
}

function itemsOf(request: Request): Line[] {
  if (mediaType(request) !== 'application/json') {
    const headers = { 'accept-post': `application/json, ${NDJSON}` }
    throw new Problem(415, 'Unsupported media type', `Send application/json or ${NDJSON}.`, { headers })
  }
  const { value, flaws } = parseWithFlaws(utf8(request.body))
  const items = value as unknown[]
  if (items.length > MOST_LINES) throw tooMany()
  const check = itemCheck(flaws())
  return items.map((item, at) => ({
    number: at + 1,
    bytes: () => Buffer.byteLength(JSON.stringify(item)),
    read() {
      check(at)
      return item
    },
  }))
}
