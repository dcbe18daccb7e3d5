import type { Trace } from './trace.ts'

/** The headers of a request as Node parses them: names in lower case. Only the named ones are sure to be a single string. */
export interface Headers {
  readonly [name: string]: string | string[] | undefined
  readonly accept?: string | undefined
  readonly authorization?: string | undefined
  readonly 'content-type'?: string | undefined
  readonly 'if-match'?: string | undefined
  readonly 'if-none-match'?: string | undefined
}

/** What a function sees of a request, whoever serves it: our host or the bare functions-framework. */
export interface Request {
  method: string
  path: string
  query: URLSearchParams
  headers: Headers
  body: Buffer
  trace: Trace
  /**
   * The network address of the client, after those that `X-Forwarded-For` names. Two clients behind the same proxy that names
   * none have the same. Absent where the network does not say.
   */
  from?: string | undefined
  /** Of the other end of the connection: behind a proxy that of the proxy. */
  address?: string | undefined
  /** When all of it was here, in milliseconds since the epoch; a function takes its own start where nobody says. */
  arrived?: number | undefined
  /** Aborts when the client goes away. */
  signal: AbortSignal
  /** Aborts when the host drains: an answer without an end ends itself. */
  closing: AbortSignal
  /** Set by a function once it knows: the pattern that the path matched, for the metrics. */
  route: string
}

/** A streamed body that throws before its first chunk becomes a problem; later it breaks the connection off. */
export interface Response {
  status: number
  headers?: Record<string, string>
  body?: string | AsyncIterable<string>
}

export const jsonResponse = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})
