import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { textOf } from '#core/cloudevent.ts'
import { HORIZON_MS } from '#core/collections.ts'
import { type Delivery, MALFORMED, PLAIN } from '#core/delivery.ts'
import { type Failure, failureOf } from '#core/failure.ts'
import { toFieldErrors } from '#core/field-errors.ts'
import { bodyHash, commandHash } from '#core/ids.ts'
import type { Identity } from '#core/ledger.ts'
import type { KnownType } from '#core/registry.ts'
import type { Command, Domain, Topic } from '#domains/domain.ts'
import { type Envelope, envelopeOf, type Verdict } from './envelope.ts'

/** A delivery as persist reads it: a command, or the reason why it isn't one. */
export type ReadResult = { ok: true; received: ReceivedCommand } | Unreadable

export interface Unreadable {
  ok: false
  id: string
  hash: string
  /** As far as the delivery is believed. */
  type: string
  failure: Failure
  /** The domain of its topic, if the delivery says a known one. */
  domain: Domain | undefined
  /** As publish sealed it. Another record's stream follows from its data only. */
  stream: string | undefined
  verdict: Verdict['kind']
}

export interface ReceivedCommand {
  domain: Domain
  command: Command
  hash: string
  /** The version that the client expects the stream to have. */
  expected: number | undefined
  /** About the memory, and the share of a batch, that it takes. */
  bytes: number
  delivery: Delivery
  verdict: Verdict['kind']
}

/** The id of the trace that a delivery belongs to. */
export const traceIdOf = ({ traceparent }: Delivery): string | undefined => traceparent?.split('-')[1]

/** What the log says of a command that is done, by its report. */
export const endOf = (report: object): string => ('rejected' in report ? 'rejected' : 'applied')

/** What the log says of a command, beside its id, its trace and its outcome. */
export const detailsOf = ({ command: { type, stream, actor, time } }: ReceivedCommand, now: number) => ({
  type,
  stream,
  actor,
  ms: now - Date.parse(time),
})

export const identityOf = ({ command, hash }: ReceivedCommand): Identity => ({ id: command.id, hash })

export interface KnownCommands {
  types: Map<string, KnownType>
  topics: Map<string, Domain>
}

/** True for a command of a decide domain whose receipt has expired, if it had one. */
export const isBeyondHorizon = ({ domain, command }: ReceivedCommand, now: number): boolean =>
  domain.kind === 'decide' && now - Date.parse(command.time) > HORIZON_MS

/** True for a delivery by a KafkaSource: only it says where in the log a record is. */
export const fromSource = (delivery: Delivery): boolean =>
  /^\d+$/.test(String(delivery.knativekafkapartition)) && /^\d+$/.test(String(delivery.knativekafkaoffset))

/** `text` is the value of the delivery, if the caller has it. */
export function readCommand(
  delivery: Delivery,
  known: KnownCommands,
  verdict: Verdict,
  text = textOf(delivery.data),
): ReadResult {
  const envelope = envelopeOf(delivery, verdict, known)
  const { type, id, topic = '', stream, hash } = envelope
  const found = verdict.kind === 'refused' ? undefined : known.types.get(type)
  const domain = found?.domain ?? known.topics.get(topic)
  const refuse = (message: string, thrown?: unknown): Unreadable => ({
    ok: false,
    id,
    hash: hash ?? bodyHash(type, text),
    type,
    failure: { ...(thrown === undefined ? {} : failureOf(thrown)), message },
    domain,
    stream,
    verdict: verdict.kind,
  })
  if (verdict.kind === 'refused') return refuse(verdict.reason)
  if (found) return readKnown({ delivery, text, envelope, verdict: verdict.kind }, found, refuse)
  if (type === MALFORMED) return refuse(String(delivery.reason))
  if (type !== PLAIN) return refuse(`unknown command type ${type}`)
  return refuse(`not a CloudEvent, and ${domain ? `${topic} takes nothing else` : `topic ${topic} is not ours`}`)
}

interface Delivered {
  delivery: Delivery
  text: string
  envelope: Envelope
  verdict: Verdict['kind']
}

/** A command of a known type, or the reason why its value or its time is none. */
function readKnown(
  { delivery, text, envelope, verdict }: Delivered,
  { domain, type, command }: KnownType,
  refuse: (message: string, thrown?: unknown) => Unreadable,
): ReadResult {
  if (text === '') return refuse('a record without a value that can be read')
  if (Buffer.isBuffer(delivery.data) && !isUtf8(delivery.data)) return refuse('a value that is not UTF-8')
  const { time } = envelope
  if (time === undefined)
    return refuse(delivery.time ? `time is not a date: ${delivery.time}` : 'a record without a time')
  let data: unknown
  try {
    data = decode(delivery.data, text, domain.topic, { id: delivery.type === PLAIN ? '' : envelope.id, type })
  } catch (error) {
    return refuse(`can not be decoded: ${reasonOf(error)}`, error)
  }
  const { actor, scopes } = envelope
  let { id } = envelope
  let hash: string
  let stream: string
  let checked: ReturnType<typeof command.data.safeParse>
  try {
    checked = command.data.safeParse(data)
    if (!checked.success) return refuse(`fails its schema: ${toFieldErrors(checked.error).detail}`)
    hash = envelope.hash ?? commandHash({ type, data: checked.data, value: text }, domain.topic)
    const key = envelope.idOf && command.key?.(checked.data)
    if (key !== undefined) id = envelope.idOf?.(domain.name, key, hash) ?? id
    stream = command.stream(checked.data, id, actor)
  } catch (error) {
    return refuse(`can not be read: ${failureOf(error).message}`, error)
  }
  const offset = Number(delivery.knativekafkaoffset)
  return {
    ok: true,
    received: {
      domain,
      command: { id, type, stream, time, actor, scopes, offset, data: checked.data },
      hash,
      expected: envelope.expectedVersion,
      bytes: text.length + 512,
      delivery,
      verdict,
    },
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof z.ZodError ? toFieldErrors(error).detail : failureOf(error).message

/** An unreadable command, as far as its stream needs to know of it. */
export const unreadable = (
  { id, hash, type, verdict }: Unreadable,
  domain: Domain,
  stream: string,
  delivery: Delivery,
): ReceivedCommand => ({
  domain,
  command: { id, type, stream, time: '', actor: '', scopes: [], offset: 0, data: {} },
  hash,
  expected: undefined,
  bytes: textOf(delivery.data).length + 512,
  delivery,
  verdict,
})

function decode(data: unknown, text: string, topic: Topic, command: { id: string; type: string }): unknown {
  if (topic.record) return topic.record.decode(text, command)
  return typeof data === 'string' || Buffer.isBuffer(data) ? JSON.parse(text) : data
}
