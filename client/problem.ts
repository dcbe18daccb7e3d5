interface ProblemOptions {
  members?: { [name: string]: unknown }
  cause?: unknown
}

/** An error of a request (RFC 9457). `status` 0 means that there was no response, so the effect of the request is unknown. */
export class Problem extends Error {
  override name = 'Problem'
  readonly status: number
  readonly title: string
  /** The id of the trace, with which operators find the request. */
  readonly traceid: string | undefined
  /** The errors of the request's fields. */
  readonly errors: readonly { field: string; message: string }[]
  /** The outcome of a command that a rule rejected or that became a letter. */
  readonly outcome: 'rejected' | 'parked' | undefined
  /** The idempotency key of a command. A repeat with this key has no further effect. */
  readonly key: string | undefined
  /** All members of the response. */
  readonly members: { readonly [name: string]: unknown }

  constructor(status: number, title: string, detail: string, { members = {}, cause }: ProblemOptions = {}) {
    super(detail, { cause })
    this.status = status
    this.title = title
    this.traceid = members.traceid as string | undefined
    this.errors = (members.errors ?? []) as { field: string; message: string }[]
    this.outcome = members.outcome as Problem['outcome']
    this.key = members.idempotencyKey as string | undefined
    this.members = members
  }

  /** The problem with the idempotency key of its command. */
  withKey(key: string): Problem {
    const members = { ...this.members, idempotencyKey: this.key ?? key }
    return new Problem(this.status, this.title, this.message, { members, cause: this.cause })
  }
}

/** The problem of an unsuccessful response. A proxy's response may not be problem+json. */
export function problemOf(status: number, text: string): Problem {
  try {
    const { title, detail, ...members } = JSON.parse(text) as { [name: string]: unknown }
    if (typeof title === 'string') return new Problem(status, title, String(detail ?? title), { members })
  } catch {
    // The response is not JSON.
  }
  return new Problem(status, `Status ${status}`, text.slice(0, 300))
}

export const noResponse = (cause: unknown): Problem =>
  new Problem(0, 'No answer', `There was no answer: ${(cause as Error).message}`, { cause })
