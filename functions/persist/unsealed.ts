import { textOf } from '#core/cloudevent.ts'
import { type Delivery, PLAIN } from '#core/delivery.ts'
import { ANONYMOUS, bodyHash, derivedId } from '#core/ids.ts'
import type { KnownCommands } from './command.ts'

/** The topic, if known: KafkaSource names it for bare records, and publish for its own. */
export const topicOf = (delivery: Delivery): string | undefined => /#([^#]+)$/.exec(delivery.source)?.[1]

export const unsealed = (delivery: Delivery) => ({
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
export function plain(delivery: Delivery, known: KnownCommands) {
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
export function refused({ type, source, id, seal = '', data }: Delivery) {
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
export const legacyPlain = (delivery: Delivery, known: KnownCommands) => ({
  type: plainType(delivery, known),
  id: bareId(delivery),
  actor: delivery.actor ?? '',
  idOf: (domain: string, key: string) => derivedId(domain, ANONYMOUS, key, 0),
})

/** The attributes by which publish described a command before it sealed records. */
export const attributesOf = ({ type, id, partitionkey, actor = '', scopes, expectedversion, bodyhash }: Delivery) => ({
  type,
  id,
  stream: partitionkey === undefined ? undefined : String(partitionkey),
  actor,
  scopes: scopes === undefined ? [] : String(scopes).split(','),
  expectedVersion: expectedversion === undefined ? undefined : Number(expectedversion),
  hash: bodyhash,
})
