import { type Event, PLAIN } from '#adapters/event.ts'
import { ANONYMOUS, bodyHash, derivedId } from '../ids.ts'
import type { Known } from './command.ts'
import { textOf } from './value.ts'
import type { Verdict } from './verdict.ts'

/** What is known of a delivery before its value is read: by publish's word, or as the record says where that is believed. */
export interface Envelope {
  type: string
  id: string
  topic: string | undefined
  /** Known of what publish wrote. */
  stream: string | undefined
  time: string | undefined
  actor: string
  scopes: string[]
  expectedVersion: number | undefined
  /** The hash of the command's body, where publish has written it down. */
  hash: string | undefined
  /** The id that a key in the body stands for, in a record without an id of its own. */
  idOf?(domain: string, key: string, hash: string): string
}

/** The topic, where the event tells: KafkaSource names it for bare records, and publish for its own. */
export const topicOf = (event: Event): string | undefined => /#([^#]+)$/.exec(event.source)?.[1]

export function envelopeOf(event: Event, verdict: Verdict, { types, topics }: Known): Envelope {
  const unsealed = {
    topic: topicOf(event),
    stream: undefined,
    time: event.time,
    scopes: [],
    expectedVersion: undefined,
  }
  const plainType = topics.get(unsealed.topic ?? '')?.topic.plain ?? PLAIN
  switch (verdict.kind) {
    case 'sealed': {
      const { time, body, scopes = [], expectedVersion, ...vouched } = verdict.vouched
      return { ...vouched, time: new Date(time).toISOString(), scopes, expectedVersion, hash: body }
    }
    case 'trusted':
      return event.type === PLAIN
        ? { ...unsealed, ...legacyPlain(event), type: plainType }
        : { ...unsealed, ...attributesOf(event) }
    case 'plain': {
      const isBare = event.type === PLAIN
      // As of an anonymous caller the body belongs to the id: nobody can take it from another.
      const body = bodyHash(event.type, textOf(event.data))
      const domain = types.get(event.type)?.domain.name ?? ''
      return {
        ...unsealed,
        type: isBare ? plainType : event.type,
        id: isBare ? derivedId('plain', bareId(event), body) : derivedId('plain', domain, event.source, event.id, body),
        actor: ANONYMOUS,
        hash: undefined,
        idOf: (domain, key, hash) => derivedId('plain', domain, key, hash),
      }
    }
    case 'refused': {
      const { type, source, id, seal = '' } = event
      const hash = bodyHash(type, textOf(event.data))
      // Its own id may be that of a command that is on its way: its letter has another one.
      return {
        ...unsealed,
        type,
        id: derivedId('refused', source, id, hash, String(seal)),
        actor: '',
        hash,
      }
    }
    default:
      return verdict satisfies never
  }
}

/** Where a bare record stands, as its first KafkaSource says; the one that reads the error topic says where the copy does. */
const PLACE = /^partition:(\d+)\/offset:(\d+)$/

/**
 * A bare record has no id of its own. Topic, partition and offset are not enough: offsets come back when a topic is
 * made again, so the record's time belongs to its identity.
 */
function bareId(event: Event): string {
  const { knativekafkapartition, knativekafkaoffset } = event
  const [, partition = '', offset = ''] = PLACE.exec(event.id) ?? ['', knativekafkapartition, knativekafkaoffset]
  return derivedId(topicOf(event) ?? '', partition, offset, event.time ?? '')
}

/** Before records were sealed, a key in a bare record's body was the same as that of an anonymous caller. */
const legacyPlain = (event: Event) => ({
  id: bareId(event),
  actor: event.actor ?? '',
  hash: undefined,
  idOf: (domain: string, key: string) => derivedId(domain, ANONYMOUS, key, 0),
})

/** What publish said of a command before it sealed records. */
const attributesOf = ({ type, id, partitionkey, actor = '', scopes, expectedversion, bodyhash }: Event) => ({
  type,
  id,
  stream: partitionkey === undefined ? undefined : String(partitionkey),
  actor,
  scopes: scopes === undefined ? [] : String(scopes).split(','),
  expectedVersion: expectedversion === undefined ? undefined : Number(expectedversion),
  hash: bodyhash,
})
