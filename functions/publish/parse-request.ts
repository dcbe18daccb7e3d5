import type { z } from 'zod'
import { toFieldErrors } from '#core/field-errors.ts'
import { parseJson } from '#core/json.ts'
import { JSON_TYPE } from '#core/media-types.ts'
import { Problem } from '#core/problem.ts'
import type { Request } from '#core/request.ts'
import type { CommandType, Domain, Fields, Route } from '#domains/domain.ts'
import { assertExact, flawsIn } from './json-flaws.ts'
import { readText } from './read-text.ts'

type WithHeaders = Pick<Request, 'headers'>

/** The limit for every event, whichever protocol brings it. */
export const MAX_EVENT_BYTES = 256 * 1024

type Params = Record<string, string | undefined>

/** The data of the command in a request, validated by the schema. Throws 413, 415, 400 and 422. */
export function parseCommand(request: Request, route: Route, command: CommandType, params: Params = {}): Fields {
  assertSize(request.body.length)
  const body = parseBody(request, route)
  const inQuery = route.query ? parseQuery(request.query, body) : {}
  return toCommandData(body, route, command, { ...inQuery, ...params })
}

/** The members in the query string. Throws 400 for one that has two different values, there or in the body. */
function parseQuery(query: URLSearchParams, body: unknown): Params {
  const given = { ...(body as object) } as Fields
  for (const [name, value] of query) {
    if (value === query.get(name) && (given[name] === undefined || given[name] === value)) continue
    throw new Problem(400, 'Contradiction', `${name} has two different values.`)
  }
  return Object.fromEntries(query)
}

/** Throws 413 for a command that is too large. */
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

function parseBody(request: Request, route: Route): unknown {
  if (route.body === 'text') return readText(request)
  if (route.query && request.body.length === 0) return {}
  if (route.body !== 'none') return parseJsonBody(request)
  if (request.body.length > 0)
    throw new Problem(400, 'Unexpected body', 'The path contains the whole command. Send no body.')
  return {}
}

/** The data as the command's schema outputs it. Throws 422 with an error for each field. */
export function validate(command: CommandType, given: unknown): Fields {
  const result = command.data.safeParse(given)
  if (!result.success) throw invalid(result.error)
  return result.data
}

/** Throws 400 for text that is not JSON, and for JSON that JSON.parse would change. */
export function parseExactly(text: string): unknown {
  const { value, isExact } = parseJson(text)
  if (!isExact) assertExact(flawsIn(text))
  return value
}

function parseJsonBody(request: Request): unknown {
  assertType(request, JSON_TYPE)
  return parseExactly(decodeUtf8(request.body))
}

export const mediaType = ({ headers }: WithHeaders): string | undefined =>
  headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()

function assertType(request: Request, wanted: string): void {
  const given = mediaType(request)
  if (given !== wanted) {
    throw new Problem(415, 'Unsupported media type', `Send ${wanted}, not ${given ?? 'a body without content-type'}.`, {
      headers: { 'accept-post': wanted },
    })
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

export function decodeUtf8(body: Buffer): string {
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

/** The client's Idempotency-Key. Throws 400 for one that is not printable ASCII. */
export function readKey({ headers }: WithHeaders): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new Problem(400, 'Bad Idempotency-Key', 'Idempotency-Key must be 1 to 255 printable ASCII characters.')
  }
  return key
}

const MAX_WAIT_SECONDS = 20

/** The milliseconds that the client prefers to wait for the outcome (RFC 7240). */
export function readWait({ headers }: WithHeaders): number | undefined {
  const prefer = headers.prefer
  const seconds = /(?:^|[\s,;])wait=(\d{1,6})(?:$|[\s,;])/.exec(String(prefer ?? ''))?.[1]
  return seconds === undefined ? undefined : Math.min(Number(seconds), MAX_WAIT_SECONDS) * 1000
}

/** The version of the stream that the client has seen, as an entity tag (RFC 9110): `If-Match: "3"`. */
export function readExpectedVersion({ headers }: WithHeaders, domain: Domain): number | undefined {
  const given = headers['if-match']
  if (given === undefined) return undefined
  const version = /^"(\d{1,15})"$/.exec(given)?.[1]
  if (version === undefined || domain.kind !== 'decide') {
    throw new Problem(400, 'Bad If-Match', 'If-Match must be the version of a stream that has versions, such as "3".')
  }
  return Number(version)
}

/** The largest body of a route, if it may exceed MAX_BODY_BYTES. */
export function bodyLimits(domains: Domain[]): (method: string, path: string) => number | undefined {
  const routes = domains.flatMap(({ commands }) => Object.values(commands).flatMap(({ routes }) => routes))
  const limits = new Map(routes.map(({ method, path, maxBytes }) => [`${method} ${path}`, maxBytes]))
  return (method, path) => limits.get(`${method} ${path}`)
}
