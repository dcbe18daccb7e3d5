import type { NewEvent } from '#domains/domain.ts'
import type { Answered } from './client.ts'
import { type Difference, differenceIn, extraIn } from './difference.ts'
import type { Applied, Documents } from './world.ts'

/** The whole reason for which a command has no effect, or a pattern of it. */
type Reason = string | RegExp

/** The expected outcome, without its types. */
export interface ExpectedOutcome {
  events?: NewEvent[]
  rejected?: Reason
  invalid?: Reason
  documents?: { [collection: string]: { [id: string]: object | null } }
}

/** The first difference between the outcome of a command and the expected one. */
export function differenceOfOutcome(
  outcome: Applied,
  documents: Documents,
  expected: ExpectedOutcome,
): Difference | undefined {
  return differenceOfDecision(outcome, expected) ?? differenceOfDocuments(documents, expected.documents ?? {})
}

function differenceOfDecision(outcome: Applied, expected: ExpectedOutcome): Difference | undefined {
  const { documents: _, ...wanted } = expected
  const text = `expected ${wish(wanted)}, but ${result(outcome)}`
  if ('rejected' in wanted || 'invalid' in wanted) {
    const rejected = 'rejected' in outcome ? outcome.rejected : undefined
    const invalid = 'invalid' in outcome ? outcome.invalid : undefined
    const isWanted = fits(rejected, wanted.rejected) && fits(invalid, wanted.invalid)
    return isWanted ? undefined : { text, actual: outcome, expected: wanted }
  }
  if (!('events' in outcome)) return { text, actual: outcome, expected: wanted }
  return wanted.events && differenceOfEvents(outcome.events, wanted.events, text)
}

function fits(reason: string | undefined, wanted: Reason | undefined): boolean {
  if (typeof wanted !== 'object') return reason === wanted
  // Unlike test, search begins at the start for a pattern with the flag g too.
  return reason !== undefined && reason.search(wanted) >= 0
}

/** Events are kept for ever, so they are compared with all their members. */
function differenceOfEvents(actual: NewEvent[], expected: NewEvent[], text: string): Difference | undefined {
  if (actual.map(({ type }) => type).join() !== expected.map(({ type }) => type).join())
    return { text, actual, expected }
  for (const [at, event] of expected.entries()) {
    const { data } = actual[at] as NewEvent
    const subject = `the event ${event.type}`
    const found = differenceIn(subject, { data }, { data: event.data })
    if (found) return { ...found, actual, expected }
    const extra = extraIn({ data }, { data: event.data })
    if (extra !== undefined) return { text: `expected no ${extra} of ${subject}, but there is one`, actual, expected }
  }
  return undefined
}

function differenceOfDocuments(
  documents: Documents,
  expected: NonNullable<ExpectedOutcome['documents']>,
): Difference | undefined {
  for (const [collection, wanted] of Object.entries(expected)) {
    for (const [id, members] of Object.entries(wanted)) {
      const subject = `the document ${id} of ${collection}`
      const actual = documents[collection]?.[id] ?? null
      if (members === null && actual)
        return { text: `expected no document ${id} of ${collection}, but there is one`, actual, expected: null }
      if (members && !actual) return { text: `expected ${subject}, but there is none`, actual, expected: members }
      const found = differenceIn(subject, actual, members)
      if (found) return found
    }
  }
  return undefined
}

/** The difference between the answer to a query and the expected one. */
export function differenceOfAnswer(query: string, answered: Answered, expected: unknown): Difference | undefined {
  const subject = `the answer to ${query}`
  const status = statusIn(expected)
  if ('problem' in answered) {
    const { status: actual, message } = answered.problem
    if (status === actual) return undefined
    const wanted = status === undefined ? subject : `${query} to be refused with ${status}`
    const text = `expected ${wanted}, but it was refused with ${actual}: ${message}`
    return { text, actual: { problem: actual }, expected }
  }
  if (status === undefined) return differenceIn(subject, answered.answer, expected)
  const text = `expected ${query} to be refused with ${status}, but it was answered`
  return { text, actual: answered.answer, expected }
}

function statusIn(expected: unknown): number | undefined {
  if (typeof expected !== 'object' || expected === null || !('problem' in expected)) return undefined
  return typeof expected.problem === 'number' ? expected.problem : undefined
}

function wish({ events, rejected, invalid }: ExpectedOutcome): string {
  if (rejected !== undefined) return `it to be rejected${inWords(rejected)}`
  if (invalid !== undefined) return `it to be invalid${inWords(invalid)}`
  return events ? named(events) : 'it to be applied'
}

const inWords = (reason: Reason): string =>
  typeof reason === 'object' ? ` with a reason that matches ${reason}` : `: ${reason}`

/** The outcome in words. */
export function result(outcome: Applied): string {
  if ('rejected' in outcome) return `it was rejected: ${outcome.rejected}`
  if ('invalid' in outcome) return `it was invalid: ${outcome.invalid}`
  return `it was applied with ${named(outcome.events)}`
}

function named(events: NewEvent[]): string {
  const [first, ...more] = events.map(({ type }) => type)
  if (first === undefined) return 'no event'
  return more.length === 0 ? `the event ${first}` : `the events ${[first, ...more].join(', ')}`
}
