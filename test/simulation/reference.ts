import { isDeepStrictEqual } from 'node:util'
import type { Command, DecideDomain, Decision, Document, DocumentReader } from '#domains/domain.ts'
import { all, type Logged, nameOf, type Outcome } from './judge.ts'
import type { Evidence } from './simulate.ts'
import { type Timeline, timelineOf } from './timeline.ts'
import { Violation } from './violation.ts'

/**
 * Applies a domain's commands one after another, in the order of the log, by its newest rules and without any fault. Throws a
 * `Violation` if the history had another result. Discarded commands are skipped. A command may have seen any state of another
 * stream's document between its append and its outcome.
 */
export function replay(
  evidence: Evidence,
  domain: DecideDomain,
  logged: Logged[],
  outcomes: Map<string, Outcome>,
): void {
  const documents = new Map<string, Document>()
  const own: DocumentReader = { get: (collection, id) => documents.get(`${collection} ${id}`) }
  const versions = new Map<string, number>()
  const firsts = new Map<string, Logged & { stream: string }>()
  const timeline = timelineOf(evidence, domain)
  for (const logging of logged) {
    const { id, hash, attributes } = logging
    const command = commandOf(logging)
    const outcome = outcomes.get(nameOf(logging)) as Outcome
    if (!command || outcome.reason.startsWith('discarded')) continue
    const { stream, time, actor } = command
    const first = firsts.get(id)
    const isFirst = first === undefined || (first.stream !== stream && outcome.status === 'applied')
    if (first && nameOf(first) === nameOf(logging)) continue
    if (!isFirst || isReused(outcome)) {
      expect(
        logging,
        isReused(outcome) || domain.ordering === 'unordered' || hash === undefined,
        'was applied beside another of its id',
      )
      continue
    }
    firsts.set(id, { ...logging, stream })
    const version = versions.get(stream) ?? 0
    const expected = attributes.expectedversion
    const isStale = expected !== undefined && Number(expected) !== version
    const possible = isStale
      ? [{ rejected: `the stream is at version ${version}, not ${expected}` }]
      : decisionsOn(domain, command, own, timeline, logging.record.time)
    if (possible.length > 1) evidence.coverage.count('raced with another stream')
    const decision = possible.find((one) => matches(outcome, one))
    if (!decision) {
      const reported = possible
        .map((one) => ('rejected' in one ? `rejected: ${one.rejected}` : 'applied'))
        .join(', or ')
      throw new Violation(
        'order',
        `${id} of ${domain.name} is ${outcome.status} and not ${reported} (${outcome.reason})`,
      )
    }
    if ('rejected' in decision) continue
    for (const [at, event] of decision.events.entries()) {
      const happened = { ...event, stream, number: version + at + 1, command: id, time, actor }
      for (const change of domain.project(happened, own)) {
        if ('remove' in change) documents.delete(`${change.collection} ${change.remove}`)
        else documents.set(`${change.collection} ${change.document._id}`, change.document)
      }
    }
    versions.set(stream, version + decision.events.length)
  }
  if (domain.ordering === 'unordered') return
  for (const { name } of domain.collections) {
    const kept = new Map(
      all(evidence, name).map(({ _stream, ...document }) => [`${name} ${document._id}`, document as Document]),
    )
    const replayed = [...documents.keys()].filter((key) => key.startsWith(`${name} `))
    for (const key of new Set([...kept.keys(), ...replayed])) {
      const [is, ought] = [kept.get(key), documents.get(key)]
      if (!isDeepStrictEqual(is, ought))
        throw new Violation('order', `${key} is ${JSON.stringify(is)}, not ${JSON.stringify(ought)}`)
    }
  }
}

/** The command of a record, or undefined if it is none. */
export function commandOf({ domain, id, record, attributes, isRefused }: Logged): Command | undefined {
  if (isRefused) return undefined
  const { type = '' } = attributes
  const checked = domain.commands[type]?.data.safeParse(dataOf(domain.topic, String(record.value), { id, type }))
  if (!checked?.success) return undefined
  const { actor = '', scopes } = attributes
  return {
    id,
    type,
    stream: domain.commands[type]?.stream(checked.data, id, actor) ?? '',
    time: new Date(attributes.time ?? record.time).toISOString(),
    actor,
    scopes: scopes?.split(',') ?? [],
    offset: record.offset,
    data: checked.data,
  }
}

/** The possible decisions, one for each combination of other streams' document states. */
function decisionsOn(
  domain: DecideDomain,
  command: Command,
  own: DocumentReader,
  timeline: Timeline,
  from: number,
): Decision[] {
  const { id, stream } = command
  const documentIds = domain
    .touches(command)
    .flatMap(({ collection, ids }) => [...new Set(ids)].map((id) => ({ collection, id })))
  let views: Map<string, Document | undefined>[] = [new Map()]
  for (const { collection, id: of } of documentIds) {
    const visible = timeline.visible(collection, of, stream, from, timeline.settled(id))
    if (visible)
      views = views.flatMap((view) => visible.map((document) => new Map(view).set(`${collection} ${of}`, document)))
  }
  const decisions = views.map((view) =>
    domain.decide(command, {
      get: (collection, id) =>
        view.has(`${collection} ${id}`) ? view.get(`${collection} ${id}`) : own.get(collection, id),
    }),
  )
  return decisions.filter((one, at) => decisions.findIndex((other) => isDeepStrictEqual(one, other)) === at)
}

const matches = ({ status, reason }: Outcome, decision: Decision): boolean =>
  'rejected' in decision ? status === 'rejected' && reason === decision.rejected : status === 'applied'

const isReused = ({ status, reason }: Outcome) => status === 'rejected' && reason.startsWith('this key was used before')

function expect({ id, domain }: Logged, condition: boolean, what: string): void {
  if (!condition) throw new Violation('order', `${id} of ${domain.name} ${what}`)
}

function dataOf({ record }: DecideDomain['topic'], text: string, command: { id: string; type: string }): unknown {
  try {
    return record ? record.decode(text, command) : JSON.parse(text)
  } catch {
    return undefined
  }
}
