import { type Delivery, PLAIN } from '#core/delivery.ts'
import { ANONYMOUS, bodyHash, derivedId } from '#core/ids.ts'
import type { Vouched } from '#core/seals.ts'
import type { KnownCommands } from './command.ts'
import type { Verdict } from './verdict.ts'

/** The part of a command that is known before its value is read: from the seal, or from the record where it is believed. */
export interface Envelope {
  type: string
  id: string
  topic: string | undefined
  /** Known for publish's records only. */
  stream: string | undefined
  /** ISO 8601, UTC. Undefined if the record has none that is valid. */
  time: string | undefined
  actor: string
  scopes: string[]
  expectedVersion: number | undefined
  /** The hash of the command's body, if publish has written it down. */
  hash: string | undefined
  /** The id for a key in the body, of a record without an id of its own. */
  idOf?(domain: string, key: string, hash: string): string
}

/** The topic, if known: KafkaSource names it for bare records, and publish for its own. */
export const topicOf = (delivery: Delivery): string | undefined => /#([^#]+)$/.exec(delivery.source)?.[1]

export function envelopeOf(delivery: Delivery, verdict: Verdict, known: KnownCommands): Envelope {
  switch (verdict.kind) {
    case 'sealed':
      return sealed(verdict.vouched)
    case 'trusted':
      return {
        ...unsealed(delivery),
        ...(delivery.type === PLAIN ? legacyPlain(delivery, known) : attributesOf(delivery)),
      }
    case 'plain':
      return { ...unsealed(delivery), ...plain(delivery, known) }
    case 'refused':
      return { ...unsealed(delivery), ...refused(delivery) }
    default:
      return verdict satisfies never
  }
}

/** Every delivery of ours comes this way: nothing else of it is read. */
const sealed = ({ type, id, topic, stream, time, actor, scopes = [], expectedVersion, body }: Vouched): Envelope => ({
  type,
  id,
  topic,
  stream,
  time: new Date(time).toISOString(),
  actor,
  scopes,
  expectedVersion,
  hash: body,
})

const unsealed = (delivery: Delivery) => ({
  topic: topicOf(delivery),
  stream: undefined,
  time: timeOf(delivery),
  scopes: [],
  expectedVersion: undefined,
  hash: undefined,
})

const ISO_LENGTH = '2026-01-01T00:00:00.000Z'.length

/** The time in the form in which times are compared. Undefined for no date, or a year without four digits. */
function timeOf({ time = '' }: Delivery): string | undefined {
  const ms = Date.parse(time)
  const iso = Number.isNaN(ms) ? '' : new Date(ms).toISOString()
  return iso.length === ISO_LENGTH ? iso : undefined
}

const plainType = (delivery: Delivery, { topics }: KnownCommands): string =>
  topics.get(topicOf(delivery) ?? '')?.topic.plain ?? PLAIN

/** The id contains the body, as for an anonymous caller: nobody can take the id of another command. */
function plain(delivery: Delivery, known: KnownCommands) {
  const { type, source } = delivery
  const body = bodyHash(type, textOf(delivery.data))
  const domain = known.types.get(type)?.domain.name ?? ''
  const isBare = type === PLAIN
  return {
    type: isBare ? plainType(delivery, known) : type,
    id: isBare ? derivedId('plain', bareId(delivery), body) : derivedId('plain', domain, source, delivery.id, body),
    actor: ANONYMOUS,
    idOf: (domain: string, key: string, hash: string) => derivedId('plain', domain, key, hash),
  }
}

/** Its id may belong to a command that is under way, so its letter has another one. */
function refused({ type, source, id, seal = '', data }: Delivery) {
  const hash = bodyHash(type, textOf(data))
  return { type, id: derivedId('refused', source, id, hash, String(seal)), actor: '', hash }
}

/** The place of a bare record in its own topic, which its first KafkaSource writes into the id. The attributes of a copy name the error topic. */
const PLACE = /^partition:(\d+)\/offset:(\d+)$/

/**
 * A bare record has no id of its own. Topic, partition and offset are not enough: offsets come back when a topic is
 * made again, so the record's time belongs to its identity.
 */
function bareId(delivery: Delivery): string {
  const { knativekafkapartition, knativekafkaoffset } = delivery
  const [, partition = '', offset = ''] = PLACE.exec(delivery.id) ?? ['', knativekafkapartition, knativekafkaoffset]
  return derivedId(topicOf(delivery) ?? '', partition, offset, delivery.time ?? '')
}

/** Before records were sealed, a key in a bare record's body was the same as that of an anonymous caller. */
const legacyPlain = (delivery: Delivery, known: KnownCommands) => ({
  type: plainType(delivery, known),
  id: bareId(delivery),
  actor: delivery.actor ?? '',
  idOf: (domain: string, key: string) => derivedId(domain, ANONYMOUS, key, 0),
})

/** The attributes by which publish described a command before it sealed records. */
const attributesOf = ({ type, id, partitionkey, actor = '', scopes, expectedversion, bodyhash }: Delivery) => ({
  type,
  id,
  stream: partitionkey === undefined ? undefined : String(partitionkey),
  actor,
  scopes: scopes === undefined ? [] : String(scopes).split(','),
  expectedVersion: expectedversion === undefined ? undefined : Number(expectedversion),
  hash: bodyhash,
})

/**
 * The value as text. JSON that the host parsed is serialised again. Empty for a value that can't be serialised: JSON that is
 * nested thousands of times, which functions-framework parses.
 */
export function textOf(data: unknown): string {
  if (data === undefined || data === null) return ''
  if (typeof data === 'string') return data
  if (Buffer.isBuffer(data)) return data.toString('utf8')
  try {
    return JSON.stringify(data)
  } catch {
    return ''
  }
}
