import { isDeepStrictEqual } from 'node:util'
import { streamKey } from '#core/collections.ts'
import { deadLetters } from '#core/kafka-source-policy.ts'
import type { LogRecord } from '#core/log.ts'
import { viewsOf } from '#core/registry.ts'
import type { AppendDomain, DecideDomain, Document, Domain, Event, Fields, View } from '#domains/domain.ts'
import { type Provenance, provenanceOf } from './provenance.ts'
import { commandOf, replay } from './reference.ts'
import type { Evidence } from './simulate.ts'
import { judgeThreads } from './threads.ts'
import { Violation } from './violation.ts'

/** A command in the log. */
export interface Logged extends Provenance {
  domain: Domain
  record: LogRecord
}

export type Outcome = { status: 'applied' | 'rejected' | 'parked'; reason: string; hash: string }

/** Throws a `Violation` if a history broke an invariant. */
export function judge(evidence: Evidence): void {
  judgeOnce(evidence)
  const logged = evidence.domains.flatMap((domain) => loggedOf(evidence, domain))
  const outcomes = outcomesOf(evidence, logged)
  for (const domain of evidence.domains) {
    const own = logged.filter((command) => command.domain === domain)
    if (domain.kind === 'append') {
      judgeDocuments(evidence, domain, own)
      continue
    }
    judgeEvents(evidence, domain, outcomes)
    replay(evidence, domain, own, outcomes)
  }
  judgeThreads(evidence)
  judgeLetters(evidence)
  judgeClients(evidence, outcomes)
}

export const all = ({ replicas }: Evidence, collection: string): Document[] =>
  [...replicas.read(collection).values()].map((text) => JSON.parse(text) as Document)

export const nameOf = ({ id, hash }: { id: string; hash: string | undefined }): string => `${id} ${hash ?? ''}`

function loggedOf({ topics }: Evidence, domain: Domain, topic = domain.topic.name): Logged[] {
  return topics
    .partitions(topic)
    .flatMap((records) => records.map((record) => ({ domain, record, ...provenanceOf(domain, record) })))
}

/** The outcome of each command in the log, by id and body. */
function outcomesOf(evidence: Evidence, logged: Logged[]): Map<string, Outcome> {
  const { replicas } = evidence
  const outcomes = new Map<string, Outcome>()
  const used = new Set<string>()
  for (const { domain, id, hash } of logged) {
    const found: Outcome[] = []
    let isOthers = false
    const look = (collection: string, _id: string, status: (document: Document) => Outcome['status'], of: string) => {
      const text = replicas.read(collection).get(_id)
      if (text === undefined) return
      const document = JSON.parse(text) as Document
      const itsHash = String(document[of] ?? hash)
      used.add(`${collection} ${_id}`)
      // A redriven letter is no outcome: the command's outcome is in another document.
      if (document.status === 'redriven') return
      if (hash !== undefined && itsHash !== hash) isOthers = true
      else found.push({ status: status(document), reason: String(document.reason ?? ''), hash: itsHash })
    }
    const decided = ({ status }: Document) => status as Outcome['status']
    if (domain.kind === 'append') look(domain.documents.collection.name, id, () => 'applied', '_hash')
    else look('receipts', id, decided, 'hash')
    look('letters', id, () => 'parked', 'hash')
    const rejections = [...replicas.read('receipts').keys()].filter((key) => key.startsWith(`${id}.`))
    for (const key of hash === undefined ? rejections : [`${id}.${hash}`]) look('receipts', key, decided, 'hash')
    const [outcome, other] = found
    if (!outcome && isOthers)
      throw new Violation('once', `${id} has the outcome of another body, and this one was not rejected`)
    if (!outcome) throw new Violation('outcome', `${id} of ${domain.name} has none`)
    // Records that publish has not written cannot be distinguished by body.
    if (other && hash !== undefined) throw new Violation('outcome', `${id} is ${outcome.status} and ${other.status}`)
    outcomes.set(nameOf({ id, hash }), outcome)
    evidence.coverage.count(outcome.reason.replace(/(:| \d).*/, '') || outcome.status)
  }
  for (const collection of ['receipts', 'letters', ...evidence.domains.flatMap(appended)]) {
    const stray = [...replicas.read(collection).keys()].find((id) => !used.has(`${collection} ${id}`))
    if (stray) throw new Violation('outcome', `${stray} of ${collection} has no record`)
  }
  return outcomes
}

const appended = (domain: Domain): string[] => (domain.kind === 'append' ? [domain.documents.collection.name] : [])

/** The events of a command have one stream and one time, and no two of them are equal. */
function judgeOnce(evidence: Evidence): void {
  const commands = Map.groupBy(all(evidence, 'events'), ({ command }) => command)
  for (const [command, events] of commands) {
    const records = new Set(events.map(({ key, time }) => `${key} ${time}`))
    const reported = new Set(events.map(({ type, data }) => JSON.stringify([type, data])))
    if (records.size > 1 || reported.size < events.length)
      throw new Violation('once', `${command} has ${JSON.stringify(events)}`)
  }
}

/** Events are numbered without a gap and come from applied commands only. Documents are the fold of the events. */
function judgeEvents(evidence: Evidence, domain: DecideDomain, outcomes: Map<string, Outcome>): void {
  const applied = new Set(
    [...outcomes].filter(([, { status }]) => status === 'applied').map(([name]) => name.split(' ')[0]),
  )
  const streams = Map.groupBy(eventsOf(evidence, domain), ({ key }) => key)
  const documents = new Map<string, Document>()
  const owners = new Map<string, string>()
  for (const [key, events] of streams) {
    for (const [at, event] of events.entries()) {
      if (event.number !== at + 1) throw new Violation('fold', `${key} has no event ${at + 1}`)
      if (!applied.has(event.command)) throw new Violation('outcome', `${event.command} has events and was not applied`)
      const view = { get: (collection: string, id: string) => documents.get(`${collection} ${id}`) }
      for (const change of domain.project(event, view)) {
        if ('remove' in change) documents.delete(`${change.collection} ${change.remove}`)
        else {
          const name = `${change.collection} ${change.document._id}`
          documents.set(name, change.document)
          owners.set(name, event.stream)
        }
      }
    }
    const { version } = JSON.parse(evidence.replicas.read('heads').get(String(key)) ?? '{}')
    if (version !== events.length) throw new Violation('fold', `${key} is at ${version} with ${events.length} events`)
  }
  for (const { name } of domain.collections) {
    const kept = new Map(all(evidence, name).map((document) => [`${name} ${document._id}`, document]))
    const folded = new Map(
      [...documents]
        .filter(([key]) => key.startsWith(`${name} `))
        .map(([key, document]) => [key, { ...document, _stream: owners.get(key) }]),
    )
    for (const id of new Set([...kept.keys(), ...folded.keys()]))
      if (!isDeepStrictEqual(kept.get(id), folded.get(id))) throw new Violation('fold', `${id} is not its events`)
  }
  for (const view of viewsOf(domain)) judgeView(evidence, domain, view)
}

/** The documents of a view are the fold of all events, in whatever order their streams came. */
function judgeView(evidence: Evidence, domain: DecideDomain, { collection, zero, isSlotted, keys, fold }: View): void {
  const folded = new Map<string, Fields>()
  for (const event of eventsOf(evidence, domain))
    for (const key of keys(event)) folded.set(key, fold(folded.get(key) ?? zero, event, key))
  const kept = all(evidence, collection.name).map(({ generation, ...document }) => document as Document)
  if (!isSlotted) {
    const documents = new Map(kept.map(({ _id, ...document }) => [_id, document]))
    if (!isDeepStrictEqual(documents, folded))
      throw new Violation('fold', `${collection.name} is ${JSON.stringify(kept)}, not ${JSON.stringify([...folded])}`)
    return
  }
  const query = domain.queries.find(({ answers }) => answers === 'total')
  if (query?.answers !== 'total') return
  const [total, expected] = [query.total(kept), query.total([...folded].map(([_id, sum]) => ({ _id, ...sum })))]
  if (total !== expected) throw new Violation('fold', `the total of ${domain.name} is ${total}, not ${expected}`)
}

const eventsOf = (evidence: Evidence, { name }: DecideDomain): (Event & { key: string })[] =>
  (all(evidence, 'events') as unknown as (Event & { key: string })[])
    .filter(({ key, stream }) => key === streamKey(name, stream))
    .sort((a, b) => a.number - b.number)

/**
 * Each document matches a record of its command, or a copy of the record from the error topic, which has another offset. The
 * outcome of a redrive is in the document too.
 */
function judgeDocuments(evidence: Evidence, domain: AppendDomain, logged: Logged[]): void {
  const { name, documents } = domain
  const copies = loggedOf(evidence, domain, deadLetters.name)
  const byId = Map.groupBy([...logged, ...copies], ({ id }) => id)
  for (const { _hash, ...document } of all(evidence, documents.collection.name)) {
    const meant = byId.get(document._id) ?? []
    const reported = meant
      .filter(({ hash }) => hash === undefined || hash === _hash)
      .flatMap((command) => {
        const checked = commandOf(command)
        return checked ? [{ ...documents.document(checked), _id: document._id }] : []
      })
    if (!reported.some((one) => isDeepStrictEqual({ ...document, ...one }, document)))
      throw new Violation('fold', `${JSON.stringify(document)} of ${name} is none of ${JSON.stringify(reported)}`)
  }
}

/** The number of crashes during a command's attempts after which it is parked. */
const CRASHES_TO_PARK = 4
const UNREADABLE =
  /^(unknown command type|fails its schema|a record without a value|can not be decoded|not a CloudEvent)/
const REFUSED = /^(a record of type \S+ that publish has not sealed|its seal (is|names|belongs to) )/

/** Checks every letter of the history, also those that no longer exist. */
function judgeLetters(evidence: Evidence): void {
  const { replicas, coverage, crashes } = evidence
  const [left] = all(evidence, 'letters')
  if (left) throw new Violation('redriven', JSON.stringify(left))
  for (const { name, text } of replicas.inserts) {
    if (name !== 'letters') continue
    const { _id, error: given, event, key, verdict } = JSON.parse(text)
    const error = String(given)
    coverage.count(error.startsWith('behind') ? 'parked behind another' : 'parked')
    if (verdict === 'refused' && key !== undefined) throw new Violation('sealed', `${_id} has parked ${key}`)
    const isFaulty = /"(flaw|text)":"(bug|crash)"/.test(String(event.data))
    const mayBeCrash = crashes >= CRASHES_TO_PARK && error.startsWith('no attempt came back')
    if (isFaulty || mayBeCrash || error.startsWith('behind') || UNREADABLE.test(error) || REFUSED.test(error)) continue
    throw new Violation('parked', `${_id}: ${error}, after ${crashes} crashes`)
  }
}

function judgeClients(
  { sent, outcomes: reported, replicas, coverage }: Evidence,
  outcomes: Map<string, Outcome>,
): void {
  const kept = replicas.inserts.filter(({ name }) => name === 'letters').map(({ text }) => JSON.parse(text)._id)
  const letters = new Set<string>(kept)
  const maybe = new Set(sent.flatMap(({ address, fate }) => (address && fate !== 'refused' ? [nameOf(address)] : [])))
  for (const { address, receipt, fate, reported: before, reads } of sent) {
    coverage.count(fate)
    if (!address || !receipt) continue
    const end = outcomes.get(nameOf(address))?.status
    if (fate === 'acknowledged' && !end) throw new Violation('acknowledged', `${address.id} is not in the log`)
    if (fate === 'refused' && end && !maybe.has(nameOf(address)))
      throw new Violation('acknowledged', `${address.id} was refused and is in the log`)
    if (reported.get(receipt) !== (end ?? 'pending'))
      throw new Violation('reported', `${address.id} is ${end}, and its receipt says ${reported.get(receipt)}`)
    for (const status of before) {
      coverage.count(`reported ${status}`)
      const isFinal = status === 'applied' || status === 'rejected'
      if (isFinal ? status !== end : status === 'parked' && !letters.has(address.id))
        throw new Violation('reported', `${address.id} is ${end} and was reported to be ${status}`)
    }
    for (const isShown of reads) {
      coverage.count(isShown ? 'own write shown' : 'own write not shown')
      if (!isShown && end === 'applied' && !letters.has(address.id))
        throw new Violation('reads', `${address.id} was not shown`)
    }
  }
}
