import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'

/** What a function sees of a request, whoever serves it: our host or the bare functions-framework. */
export interface Request {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: Buffer
  /** Aborts when the client goes away. */
  signal: AbortSignal
}

/** A streamed body is an async iterable; one that throws after its first chunk breaks the connection off. */
export interface Response {
  status: number
  headers?: Record<string, string>
  body?: string | AsyncIterable<string>
}

/** The signature that functions-framework calls and that the host calls too; both have read the body into `rawBody`. */
export type HttpFunction = (req: IncomingMessage & { rawBody?: Buffer }, res: ServerResponse) => Promise<void>

/** An answer that is an error: RFC 9457. Throw it anywhere between the door and the log. */
export class Problem extends Error {
  override name = 'Problem'
  readonly status: number
  readonly title: string
  readonly headers: Record<string, string>
  readonly members: Record<string, unknown>

  /** `members` are extension members, such as `errors: [{ field, message }]` or `id`. */
  constructor(
    status: number,
    title: string,
    detail: string,
    options: ErrorOptions & { headers?: Record<string, string>; members?: Record<string, unknown> } = {},
  ) {
    super(detail, options)
    this.status = status
    this.title = title
    this.headers = options.headers ?? {}
    this.members = options.members ?? {}
  }
}
