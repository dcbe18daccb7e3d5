import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { type Event, MALFORMED, PLAIN } from '#core/delivery.ts'
import { toFieldErrors } from '#core/field-errors.ts'
import { bodyHash, commandHash } from '#core/ids.ts'
import type { KnownType } from '#core/registry.ts'
import type { Command, Domain, Topic } from '#domains/domain.ts'
import { type Envelope, envelopeOf } from './envelope.ts'
import { textOf } from './value.ts'
import type { Verdict } from './verdict.ts'

/** A delivery as persist goes on with it: a command, or the reason why it isn't one. */
export type Read = { ok: true; received: Received } | Unread

export interface Unread {
  ok: false
  id: string
  hash: string
  reason: string
  /** As far as the event tells: of whose topic it is. */
  domain: Domain | undefined
  /** As publish sealed it; what another record is about stands in its data only. */
  stream: string | undefined
  verdict: Verdict['kind']
}

export interface Received {
  domain: Domain
  command: Command
  hash: string
  /** The version that the client expects the stream to have. */
  expected: number | undefined
  /** About how much memory and room in a batch it takes. */
  bytes: number
  event: Event
  verdict: Verdict['kind']
}

export interface Known {
  types: Map<string, KnownType>
  topics: Map<string, Domain>
}

/** Whether a KafkaSource sent this: only it says where in the log a record stands. */
export const fromSource = (event: Event): boolean =>
  /^\d+$/.test(String(event.knativekafkapartition)) && /^\d+$/.test(String(event.knativekafkaoffset))

/** `text` is the value of the event, for who knows it already. */
export function readCommand(event: Event, known: Known, verdict: Verdict, text = textOf(event.data)): Read {
  const envelope = envelopeOf(event, verdict, known)
  const { type, id, topic = '', stream, hash } = envelope
  const found = verdict.kind === 'refused' ? undefined : known.types.get(type)
  const domain = found?.domain ?? known.topics.get(topic)
  const refuse = (reason: string): Unread => ({
    ok: false,
    id,
    hash: hash ?? bodyHash(type, text),
    reason,
    domain,
    stream,
    verdict: verdict.kind,
  })
  if (verdict.kind === 'refused') return refuse(verdict.reason)
  if (found) return readKnown({ event, text, envelope, verdict: verdict.kind }, found, refuse)
  if (type === MALFORMED) return refuse(String(event.reason))
  if (type !== PLAIN) return refuse(`unknown command type ${type}`)
  return refuse(`not a CloudEvent, and ${domain ? `${topic} takes nothing else` : `topic ${topic} is not ours`}`)
}

interface Delivered {
  event: Event
  text: string
  envelope: Envelope
  verdict: Verdict['kind']
}

/** A command of a type that we know, or why its value or its time is none. */
function readKnown(
  { event, text, envelope, verdict }: Delivered,
  { domain, type, command }: KnownType,
  refuse: (reason: string) => Unread,
): Read {
  if (text === '') return refuse('a record without a value that can be read')
  if (Buffer.isBuffer(event.data) && !isUtf8(event.data)) return refuse('a value that is not UTF-8')
  const { time } = envelope
  if (time === undefined) return refuse(event.time ? `time is not a date: ${event.time}` : 'a record without a time')
  let data: unknown
  try {
    data = decode(event.data, text, domain.topic, { id: event.type === PLAIN ? '' : envelope.id, type })
  } catch (error) {
    return refuse(`can not be decoded: ${reasonOf(error)}`)
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
    return refuse(`can not be read: ${(error as Error).message}`)
  }
  const offset = Number(event.knativekafkaoffset)
  return {
    ok: true,
    received: {
      domain,
      command: { id, type, stream, time, actor, scopes, offset, data: checked.data },
      hash,
      expected: envelope.expectedVersion,
      bytes: text.length + 512,
      event,
      verdict,
    },
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof z.ZodError ? toFieldErrors(error).detail : (error as Error).message

/** One that can't be read, as far as its stream needs to know of it. */
export const unreadable = ({ id, hash, verdict }: Unread, domain: Domain, stream: string, event: Event): Received => ({
  domain,
  command: { id, type: event.type, stream, time: '', actor: '', scopes: [], offset: 0, data: {} },
  hash,
  expected: undefined,
  bytes: textOf(event.data).length + 512,
  event,
  verdict,
})

function decode(data: unknown, text: string, topic: Topic, command: { id: string; type: string }): unknown {
  if (topic.record) return topic.record.decode(text, command)
  return typeof data === 'string' || Buffer.isBuffer(data) ? JSON.parse(text) : data
}
