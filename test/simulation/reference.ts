import { isDeepStrictEqual } from 'node:util'
import type { Command, DecideDomain, Decision, Document, View } from '#domains/domain.ts'
import { all, type Logged, nameOf, type Outcome } from './judge.ts'
import { type Past, pastOf } from './past.ts'
import type { Evidence } from './simulate.ts'
import { Violation } from './violation.ts'

/**
 * What a domain's commands come to when nothing ever goes wrong: one after the other, in the order of the log, by its newest
 * rules. That is what must have come of them, however it went: who waited behind a letter has kept the place. What was
 * discarded has not happened. Of other streams' documents a command has seen what was there at some moment between its
 * append and its outcome, and nothing older or newer.
 */
export function replay(
  evidence: Evidence,
  domain: DecideDomain,
  logged: Logged[],
  outcomes: Map<string, Outcome>,
): void {
  const documents = new Map<string, Document>()
  const own: View = { get: (collection, id) => documents.get(`${collection} ${id}`) }
  const versions = new Map<string, number>()
  const firsts = new Map<string, Logged & { stream: string }>()
  const past = pastOf(evidence, domain)
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
      : decisionsOn(domain, command, own, past, logging.record.time)
    if (possible.length > 1) evidence.seen.count('raced by another stream')
    const decision = possible.find((one) => isTold(outcome, one))
    if (!decision) {
      const told = possible.map((one) => ('rejected' in one ? `rejected: ${one.rejected}` : 'applied')).join(', or ')
      throw new Violation('order', `${id} of ${domain.name} is ${outcome.status} and not ${told} (${outcome.reason})`)
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

/** A record as rules see it; undefined for what is no command. */
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

/** One for each way in which the documents of other streams may have looked. */
function decisionsOn(domain: DecideDomain, command: Command, own: View, past: Past, from: number): Decision[] {
  const { id, stream } = command
  const places = domain
    .touches(command)
    .flatMap(({ collection, ids }) => [...new Set(ids)].map((id) => ({ collection, id })))
  let looks: Map<string, Document | undefined>[] = [new Map()]
  for (const { collection, id: of } of places) {
    const seen = past.seen(collection, of, stream, from, past.settled(id))
    if (seen)
      looks = looks.flatMap((look) => seen.map((document) => new Map(look).set(`${collection} ${of}`, document)))
  }
  const decisions = looks.map((look) =>
    domain.decide(command, {
      get: (collection, id) =>
        look.has(`${collection} ${id}`) ? look.get(`${collection} ${id}`) : own.get(collection, id),
    }),
  )
  return decisions.filter((one, at) => decisions.findIndex((other) => isDeepStrictEqual(one, other)) === at)
}

const isTold = ({ status, reason }: Outcome, decision: Decision): boolean =>
  'rejected' in decision ? status === 'rejected' && reason === decision.rejected : status === 'applied'

const isReused = ({ status, reason }: Outcome) => status === 'rejected' && reason.startsWith('this key was used before')

function expect({ id, domain }: Logged, isSo: boolean, what: string): void {
  if (!isSo) throw new Violation('order', `${id} of ${domain.name} ${what}`)
}

function dataOf({ record }: DecideDomain['topic'], text: string, command: { id: string; type: string }): unknown {
  try {
    return record ? record.decode(text, command) : JSON.parse(text)
  } catch {
    return undefined
  }
}
