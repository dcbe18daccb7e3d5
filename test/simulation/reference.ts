import { isDeepStrictEqual } from 'node:util'
import type { DecideDomain, Document, Fields } from '#domains/domain.ts'
import { all, type Logged, nameOf, type Outcome } from './judge.ts'
import type { Evidence } from './simulate.ts'
import { Violation } from './violation.ts'

/**
 * What a domain's commands come to when nothing ever goes wrong: one after the other, in the order of the log, by its newest
 * rules. That is what must have come of them, however it went: who waited behind a letter has kept the place. What was
 * discarded has not happened.
 */
export function replay(
  evidence: Evidence,
  domain: DecideDomain,
  logged: Logged[],
  outcomes: Map<string, Outcome>,
): void {
  const documents = new Map<string, Document>()
  const versions = new Map<string, number>()
  const firsts = new Map<string, Logged & { stream: string }>()
  for (const command of logged) {
    const { id, hash, attributes, record } = command
    const type = domain.commands[attributes.type ?? domain.topic.plain ?? '']
    const data = dataOf(domain, String(record.value))
    const checked = type?.data.safeParse(data)
    const outcome = outcomes.get(nameOf(command)) as Outcome
    if (!checked?.success || outcome.reason.startsWith('discarded')) continue
    const stream = type?.stream(checked.data, id, attributes.actor ?? '') ?? ''
    const first = firsts.get(id)
    const isFirst = first === undefined || (first.stream !== stream && outcome.status === 'applied')
    if (first && nameOf(first) === nameOf(command)) continue
    if (!isFirst || isReused(outcome)) {
      expect(
        command,
        domain,
        isReused(outcome) || domain.ordering === 'unordered' || hash === undefined,
        'was applied beside another of its id',
      )
      continue
    }
    firsts.set(id, { ...command, stream })
    const version = versions.get(stream) ?? 0
    const expected = attributes.expectedversion
    const view = { get: (collection: string, id: string) => documents.get(`${collection} ${id}`) }
    const time = new Date(attributes.time ?? record.time).toISOString()
    const given = {
      id,
      type: attributes.type ?? domain.topic.plain ?? '',
      stream,
      time,
      actor: attributes.actor ?? '',
      scopes: [],
      offset: record.offset,
      data: checked.data,
    }
    const isStale = expected !== undefined && Number(expected) !== version
    const decision = isStale ? { rejected: 'the stream is at version' } : domain.decide(given, view)
    if ('rejected' in decision) {
      expect(
        command,
        domain,
        outcome.status === 'rejected' && outcome.reason.startsWith(decision.rejected),
        `is ${outcome.status} and not rejected: ${decision.rejected}`,
      )
      continue
    }
    expect(command, domain, outcome.status === 'applied', `is ${outcome.status} and not applied: ${outcome.reason}`)
    for (const [at, event] of decision.events.entries()) {
      const happened = { ...event, stream, number: version + at + 1, command: id, time, actor: given.actor }
      for (const change of domain.project(happened, view))
        if ('document' in change) documents.set(`${change.collection} ${change.document._id}`, change.document)
    }
    versions.set(stream, version + decision.events.length)
  }
  if (domain.ordering === 'unordered') return
  for (const { name } of domain.collections)
    for (const document of all(evidence, name))
      if (!isDeepStrictEqual(document, documents.get(`${name} ${document._id}`)))
        throw new Violation(
          'order',
          `${document._id} is ${JSON.stringify(document)}, not ${JSON.stringify(documents.get(`${name} ${document._id}`))}`,
        )
}

const isReused = ({ status, reason }: Outcome) => status === 'rejected' && reason.startsWith('this key was used before')

function expect({ id }: Logged, { name }: DecideDomain, isSo: boolean, what: string): void {
  if (!isSo) throw new Violation('order', `${id} of ${name} ${what}`)
}

function dataOf({ topic }: DecideDomain, text: string): unknown {
  try {
    return topic.record ? topic.record.decode(text) : (JSON.parse(text) as Fields)
  } catch {
    return undefined
  }
}
