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

/** All that a client gets to know of a bug. */
export const internalError = (): Problem =>
  new Problem(500, 'Internal error', 'This is a bug of ours. Its trace id leads us to it.')
