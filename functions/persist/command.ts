import { type Event, MALFORMED, PLAIN } from '#adapters/event.ts'
import type { Command, Domain, Topic } from '#domains/domain.ts'
import type { KnownType } from '../domains.ts'
import { ANONYMOUS, bodyHash, derivedId, hashOf } from '../ids.ts'
import { refusalOf } from '../refusal.ts'

/** A delivery as persist goes on with it: a command, or the reason why it isn't one. */
export type Read = { ok: true; received: Received } | Unread

export interface Unread {
  ok: false
  id: string
  hash: string
  reason: string
  /** As far as the event tells: of whose topic it is. */
  domain: Domain | undefined
  /** As publish sealed it; what a bare record is about stands in its data only. */
  stream: string | undefined
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
}

export interface Known {
  types: Map<string, KnownType>
  topics: Map<string, Domain>
}

/** Whether a KafkaSource sent this: only it says where in the log a record stands. */
export const fromSource = (event: Event): boolean =>
  /^\d+$/.test(String(event.knativekafkapartition)) && /^\d+$/.test(String(event.knativekafkaoffset))

/** The topic, where the event tells: KafkaSource names it for bare records, and publish for its own. */
export const topicOf = (event: Event): string | undefined => /#([^#]+)$/.exec(event.source)?.[1]

/** The stream of a command that publish sealed. */
const streamOf = (event: Event): string | undefined =>
  event.type === PLAIN || event.partitionkey === undefined ? undefined : String(event.partitionkey)

export function readCommand(event: Event, { types, topics }: Known): Read {
  if (event.type === PLAIN) return readPlain(event, types, topics)
  const known = types.get(event.type)
  if (event.type === MALFORMED || !known) {
    const reason = event.type === MALFORMED ? String(event.reason) : `unknown command type ${event.type}`
    const hash = event.bodyhash ?? bodyHash(event.type, textOf(event.data))
    return { ok: false, id: event.id, hash, reason, domain: topics.get(topicOf(event) ?? ''), stream: streamOf(event) }
  }
  return readKnown(event, known, event.id, event.bodyhash)
}

/** Where a bare record stands, as its first KafkaSource says; the one that reads the error topic says where the copy does. */
const PLACE = /^partition:(\d+)\/offset:(\d+)$/

/**
 * A bare record has no id of its own. Topic, partition and offset are not enough: offsets come back when a topic is
 * made anew, so the record's time belongs to its identity.
 */
function readPlain(event: Event, types: Known['types'], topics: Known['topics']): Read {
  const topic = topicOf(event) ?? ''
  const { knativekafkapartition, knativekafkaoffset } = event
  const [, partition = '', offset = ''] = PLACE.exec(event.id) ?? ['', knativekafkapartition, knativekafkaoffset]
  const id = derivedId(topic, partition, offset, event.time ?? '')
  const domain = topics.get(topic)
  const known = types.get(domain?.topic.plain ?? '')
  if (!known) {
    const reason = `not a CloudEvent, and ${domain ? `${topic} takes nothing else` : `topic ${topic} is not ours`}`
    return { ok: false, id, hash: bodyHash(event.type, textOf(event.data)), reason, domain, stream: undefined }
  }
  return readKnown(event, known, id, undefined)
}

/** Of a bare record `id` says only where it stands: a key in its body goes before it, as it does in publish. */
function readKnown(
  event: Event,
  { domain, type, command }: KnownType,
  given: string,
  sealed: string | undefined,
): Read {
  const text = textOf(event.data)
  const refuse = (reason: string): Read => ({
    ok: false,
    id: given,
    hash: sealed ?? bodyHash(type, text),
    reason,
    domain,
    stream: streamOf(event),
  })
  if (event.data === undefined || event.data === null || text === '') return refuse('a record without a value')
  if (Number.isNaN(Date.parse(event.time ?? ''))) return refuse(`time is not a date: ${event.time}`)
  let data: unknown
  try {
    data = decode(event.data, text, domain.topic, { id: event.type === PLAIN ? '' : given, type })
  } catch (error) {
    return refuse(`can not be decoded: ${(error as Error).message}`)
  }
  const actor = event.actor ?? ''
  let id = given
  let stream: string
  let checked: ReturnType<typeof command.data.safeParse>
  try {
    checked = command.data.safeParse(data)
    if (!checked.success) return refuse(`fails its schema: ${refusalOf(checked.error).detail}`)
    const key = event.type === PLAIN ? command.key?.(checked.data) : undefined
    if (key !== undefined) id = derivedId(domain.name, ANONYMOUS, key, 0)
    stream = command.stream(checked.data, id, actor)
  } catch (error) {
    return refuse(`can not be read: ${(error as Error).message}`)
  }
  return {
    ok: true,
    received: {
      domain,
      command: {
        id,
        type,
        stream,
        time: new Date(event.time as string).toISOString(),
        actor,
        scopes: event.scopes === undefined ? [] : String(event.scopes).split(','),
        offset: Number(event.knativekafkaoffset),
        data: checked.data,
      },
      hash: sealed ?? hashOf(type, checked.data, text, domain.topic),
      expected: event.expectedversion === undefined ? undefined : Number(event.expectedversion),
      bytes: text.length + 512,
      event,
    },
  }
}

/** One that can't be read, as far as its stream needs to know of it. */
export const unreadable = ({ id, hash }: Unread, domain: Domain, stream: string, event: Event): Received => ({
  domain,
  command: { id, type: event.type, stream, time: '', actor: '', scopes: [], offset: 0, data: {} },
  hash,
  expected: undefined,
  bytes: textOf(event.data).length + 512,
  event,
})

function decode(data: unknown, text: string, topic: Topic, command: { id: string; type: string }): unknown {
  if (topic.record) return topic.record.decode(text, command)
  return typeof data === 'string' || Buffer.isBuffer(data) ? JSON.parse(text) : data
}

/** The value as the record has it; JSON that was parsed on the way is written out again. */
export function textOf(data: unknown): string {
  if (data === undefined || data === null) return ''
  if (typeof data === 'string') return data
  return Buffer.isBuffer(data) ? data.toString('utf8') : JSON.stringify(data)
}
