import type { z } from 'zod'
import { toFieldErrors } from '#core/field-errors.ts'
import { Problem } from '#core/problem.ts'
import type { Request } from '#core/request.ts'
import type { CommandType, Domain, Fields, Route } from '#domains/domain.ts'
import { parseJson } from './parse-json.ts'
import { readText } from './read-text.ts'

type Headed = Pick<Request, 'headers'>

export const MAX_EVENT_BYTES = 256 * 1024

type Params = Record<string, string | undefined>

/** The command's data from a request, as its route takes it and its schema allows it. Throws 413, 415, 400 and 422. */
export function readData(request: Request, route: Route, command: CommandType, params: Params = {}): Fields {
  assertSize(request.body.length)
  const body = readBody(request, route)
  const inQuery = route.query ? readQuery(request.query, body) : {}
  return toCommandData(body, route, command, { ...inQuery, ...params })
}

/** The members that the query string gives. Throws 400 for one that is given twice with different values, there or in the body. */
function readQuery(query: URLSearchParams, body: unknown): Params {
  const given = { ...(body as object) } as Fields
  for (const [name, value] of query) {
    if (value === query.get(name) && (given[name] === undefined || given[name] === value)) continue
    throw new Problem(400, 'Contradiction', `${name} is given twice, with different values.`)
  }
  return Object.fromEntries(query)
}

/** No event of ours is larger, whichever way it comes. */
export function assertSize(bytes: number): void {
  if (bytes <= MAX_EVENT_BYTES) return
  throw new Problem(413, 'Content too large', `A command takes at most ${MAX_EVENT_BYTES} bytes.`)
}

/** The data of one body, or of one item of a batch. */
export function toCommandData(body: unknown, route: Route, command: CommandType, params: Params): Fields {
  const given = route.read ? route.read(body) : body
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
  return validate(command, isObject ? { ...given, ...params } : given)
}

function readBody(request: Request, route: Route): unknown {
  if (route.body === 'text') return readText(request)
  if (route.query && request.body.length === 0) return {}
  if (route.body !== 'none') return readJson(request)
  if (request.body.length > 0) throw new Problem(400, 'Unexpected body', 'The path says it all: send no body.')
  return {}
}

/** What the command's schema makes of it. Throws 422, field by field. */
export function validate(command: CommandType, given: unknown): Fields {
  const result = command.data.safeParse(given)
  if (!result.success) throw invalid(result.error)
  return result.data
}

function readJson(request: Request): unknown {
  expectType(request, 'application/json')
  return parseJson(utf8(request.body))
}

export const mediaType = ({ headers }: Headed): string | undefined =>
  headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()

function expectType(request: Request, wanted: string): void {
  const given = mediaType(request)
  if (given !== wanted) {
    throw new Problem(415, 'Unsupported media type', `Send ${wanted}, not ${given ?? 'a body without content-type'}.`, {
      headers: { 'accept-post': wanted },
    })
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

export function utf8(body: Buffer): string {
  try {
    return decoder.decode(body)
  } catch (cause) {
    throw new Problem(400, 'Malformed body', 'The body is not UTF-8.', { cause })
  }
}

function invalid(error: z.ZodError): Problem {
  const { errors, detail } = toFieldErrors(error)
  const outOfRange = error.issues.every((issue) => issue.code === 'custom' && issue.params?.outOfRange === true)
  return new Problem(422, 'Invalid command', detail, { members: { errors, ...(outOfRange ? { outOfRange } : {}) } })
}

/** The client's own key, or none. */
export function readKey({ headers }: Headed): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new Problem(400, 'Bad Idempotency-Key', 'Idempotency-Key takes 1 to 255 printable ASCII characters.')
  }
  return key
}

const LONGEST_WAIT_SECONDS = 20

/** How many milliseconds the client prefers to wait for the outcome (RFC 7240), if it does. */
export function readWait({ headers }: Headed): number | undefined {
  const prefer = headers.prefer
  const seconds = /(?:^|[\s,;])wait=(\d{1,6})(?:$|[\s,;])/.exec(String(prefer ?? ''))?.[1]
  return seconds === undefined ? undefined : Math.min(Number(seconds), LONGEST_WAIT_SECONDS) * 1000
}

/** The version of the stream that the client has seen, as an entity tag (RFC 9110): `If-Match: "3"`. */
export function readExpectedVersion({ headers }: Headed, domain: Domain): number | undefined {
  const given = headers['if-match']
  if (given === undefined) return undefined
  const version = /^"(\d{1,15})"$/.exec(given)?.[1]
  if (version === undefined || domain.kind !== 'decide') {
    throw new Problem(400, 'Bad If-Match', 'If-Match takes the version of a stream that keeps one, such as "3".')
  }
  return Number(version)
}
