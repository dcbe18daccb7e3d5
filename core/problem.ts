/** An error response (RFC 9457). Code between the HTTP or gRPC adapter and the ports throws it. */
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

/** The header of a response that a client may try to get again after a second. */
export const RETRY_SOON = { 'retry-after': '1' }

/** The problem for a bug. It tells a client nothing but its trace id. */
export const internalError = (): Problem =>
  new Problem(500, 'Internal error', 'The server has a bug. Report it with its trace id.')
