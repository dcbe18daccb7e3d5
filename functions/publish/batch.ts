import { setImmediate } from 'node:timers/promises'
import { parseJson } from '#core/json.ts'
import { JSON_TYPE, NDJSON_TYPE } from '#core/media-types.ts'
import { Problem } from '#core/problem.ts'
import { receiptPath } from '#core/receipts.ts'
import { jsonResponse, type Request, type Response } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { toProblem } from '#core/to-problem.ts'
import type { Caller } from '#domains/domain.ts'
import { flawsIn, itemCheck } from './json-flaws.ts'
import { logUnavailable } from './log-unavailable.ts'
import { assertSize, decodeUtf8, mediaType, parseExactly, toCommandData } from './parse-request.ts'
import type { CommandRoute } from './publisher.ts'
import type { Submit } from './submit.ts'

const MAX_LINES = 10_000
/** The number of lines that are appended to the log at the same time. */
const WINDOW = 1000
/** The number of lines after which a batch lets the process serve others. */
const TURN = 100

/** The result of one line. `status` is the one that its command would get alone. */
interface LineResult {
  line: number
  status: number
  [member: string]: unknown
}

interface Line {
  /** From 1. */
  number: number
  bytes(): number
  parse(): unknown
}

interface BatchRequest {
  request: Request
  target: CommandRoute
  params: Record<string, string | undefined>
  caller: Caller
}

/**
 * Submits the lines of a batch. Each line is accepted or refused by itself, in the order of the lines. The status is 202 when all are
 * accepted, 207 when some are not, and 503 when the log accepted none. A batch with an Idempotency-Key may be repeated: each line takes
 * effect once.
 */
export async function submitBatch(
  { request, target, params, caller }: BatchRequest,
  submit: Submit,
  telemetry: Telemetry,
): Promise<Response> {
  const isNdjson = mediaType(request) === NDJSON_TYPE
  const lines = isNdjson ? linesOf(decodeUtf8(request.body)) : itemsOf(request)
  if (lines.length === 0) throw new Problem(422, 'Empty batch', 'The batch contains no command.')
  const { headers, trace, signal, from } = request
  /** The deadline of the request holds until a line is in the log. After that the batch can't be a 503, and each line has its own. */
  let { arrived } = request
  const results: LineResult[] = []
  for (let at = 0; at < lines.length; at += WINDOW) {
    const isUnavailable = results.some(({ status }) => status === 503)
    const window = lines.slice(at, at + WINDOW)
    results.push(...(isUnavailable ? window.map(notTried) : await inTurns(window, submitLine)))
    if (results.some(isAccepted)) arrived = undefined
  }
  if (!results.some(isAccepted) && results.some(({ status }) => status === 503)) {
    const detail = 'The log is unavailable. Repeat the batch later, with its Idempotency-Key if it has one.'
    throw logUnavailable(detail, { members: { lines: results } })
  }
  const status = results.every(isAccepted) ? 202 : 207
  if (!isNdjson) return jsonResponse(status, results)
  const body = results.map((result) => `${JSON.stringify(result)}\n`).join('')
  return { status, headers: { 'content-type': NDJSON_TYPE }, body }

  async function submitLine({ number: line, bytes, parse }: Line): Promise<LineResult> {
    try {
      assertSize(bytes())
      const data = toCommandData(parse(), target.route, target.command, params)
      const { id, receipt } = await submit(target, data, caller, { headers, trace, arrived, signal, from, line })
      return { line, status: 202, id, receipt: receiptPath(receipt) }
    } catch (error) {
      const { status, message: detail, members } = toProblem(error, request, telemetry)
      return { line, status, detail, ...members }
    }
  }
}

/** Begins them in their order, and serves others in between. */
async function inTurns(lines: Line[], submit: (line: Line) => Promise<LineResult>): Promise<LineResult[]> {
  const results: Promise<LineResult>[] = []
  for (const line of lines) {
    results.push(submit(line))
    if (results.length % TURN === 0) await setImmediate()
  }
  return await Promise.all(results)
}

const isAccepted = ({ status }: LineResult): boolean => status === 202

const notTried = ({ number: line }: Line): LineResult => ({
  line,
  status: 503,
  detail: 'This line was not tried, because the log was unavailable for an earlier one.',
})

const tooMany = () => new Problem(413, 'Content too large', `A batch takes at most ${MAX_LINES} commands.`)

/** The lines of an NDJSON body. Throws 413 before it collects more lines than a batch may have, blank ones included. */
function linesOf(text: string): Line[] {
  const lines: Line[] = []
  let number = 0
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from)
    const line = text.slice(from, end < 0 ? text.length : end)
    from = end < 0 ? text.length : end + 1
    if (++number > 2 * MAX_LINES) throw tooMany()
    if (line.trim() === '') continue
    if (lines.length === MAX_LINES) throw tooMany()
    lines.push({ number, bytes: () => Buffer.byteLength(line), parse: () => parseExactly(line) })
  }
  return lines
}

/** The items of a JSON array. */
function itemsOf(request: Request): Line[] {
  if (mediaType(request) !== JSON_TYPE) {
    const headers = { 'accept-post': `${JSON_TYPE}, ${NDJSON_TYPE}` }
    throw new Problem(415, 'Unsupported media type', `Send ${JSON_TYPE} or ${NDJSON_TYPE}.`, { headers })
  }
  const text = decodeUtf8(request.body)
  const { value, isExact } = parseJson(text)
  const items = value as unknown[]
  if (items.length > MAX_LINES) throw tooMany()
  const check = itemCheck(isExact ? [] : flawsIn(text))
  return items.map((item, at) => ({
    number: at + 1,
    bytes: () => Buffer.byteLength(JSON.stringify(item)),
    parse() {
      check(at)
      return item
    },
  }))
}
