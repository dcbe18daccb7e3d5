/** What went wrong, as RFC 9457 has it. `status` 0: there was no answer, and nobody knows what became of the request. */
export class Problem extends Error {
  override name = 'Problem'
  readonly status: number
  readonly title: string
  /** Leads the operators to what happened. */
  readonly traceid: string | undefined
  /** What is wrong, field by field. */
  readonly errors: readonly { field: string; message: string }[]
  /** Of a command: it was refused by a rule, or kept as a letter. */
  readonly outcome: 'rejected' | 'parked' | undefined
  /** Of a command: repeated with this key it takes effect once, whatever became of it. */
  readonly key: string | undefined
  /** All that was told. */
  readonly members: { readonly [name: string]: unknown }

  constructor(
    status: number,
    title: string,
    detail: string,
    members: { [name: string]: unknown } = {},
    cause?: unknown,
  ) {
    super(detail, { cause })
    this.status = status
    this.title = title
    this.traceid = members.traceid as string | undefined
    this.errors = (members.errors ?? []) as { field: string; message: string }[]
    this.outcome = members.outcome as Problem['outcome']
    this.key = members.idempotencyKey as string | undefined
    this.members = members
  }

  /** Of the command with this key. */
  of(key: string): Problem {
    const members = { ...this.members, idempotencyKey: this.key ?? key }
    return new Problem(this.status, this.title, this.message, members, this.cause)
  }
}

/** Of an answer that is no success; a proxy's may be no problem+json. */
export function problemOf(status: number, text: string): Problem {
  try {
    const { title, detail, ...members } = JSON.parse(text) as { [name: string]: unknown }
    if (typeof title === 'string') return new Problem(status, title, String(detail ?? title), members)
  } catch {
    // not JSON
  }
  return new Problem(status, `Status ${status}`, text.slice(0, 300))
}

export const unanswered = (cause: unknown): Problem =>
  new Problem(0, 'No answer', `There was no answer: ${(cause as Error).message}`, {}, cause)
