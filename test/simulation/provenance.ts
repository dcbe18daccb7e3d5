import { PLAIN } from '#core/delivery.ts'
import { ANONYMOUS, bodyHash, commandHash, derivedId } from '#core/ids.ts'
import type { LogRecord } from '#core/log.ts'
import type { Domain } from '#domains/domain.ts'
import { SEALS } from '../trust.ts'

/** The origin of a record in the log, by its seal. */
export interface Provenance {
  id: string
  /** The hash of the body; unknown for a record that publish has not written. */
  hash: string | undefined
  /** The attributes that publish vouches for, or that a plain record has by default. */
  attributes: Record<string, string>
  /** True when publish has not sealed the record, and the topic has no plain records of this kind. */
  isRefused: boolean
}

export function provenanceOf(domain: Domain, record: LogRecord): Provenance {
  const said = Object.fromEntries(record.headers.map(([name, value]) => [name.replace('ce_', ''), String(value)]))
  const { seal, type = '', source = '', id = '', time = new Date(record.time).toISOString() } = said
  const text = String(record.value ?? '')
  if (seal !== undefined) {
    const opened = SEALS.open(seal)
    if (opened.ok && bodyHash(opened.vouched.type, text) === (opened.vouched.value ?? opened.vouched.body)) {
      const { vouched } = opened
      const attributes = {
        type: vouched.type,
        actor: vouched.actor,
        time: new Date(vouched.time).toISOString(),
        ...(vouched.scopes ? { scopes: vouched.scopes.join() } : {}),
        ...(vouched.expectedVersion === undefined ? {} : { expectedversion: String(vouched.expectedVersion) }),
      }
      return { id: vouched.id, hash: vouched.body, attributes, isRefused: false }
    }
  } else if (type === '' || type === domain.topic.plain) {
    const attributes = { type: domain.topic.plain ?? '', actor: ANONYMOUS, time }
    return { id: plainId(domain, record, said), hash: undefined, attributes, isRefused: false }
  }
  const hash = bodyHash(type, text)
  return { id: derivedId('refused', source, id, hash, seal ?? ''), hash, attributes: { type, time }, isRefused: true }
}

/** The id that persist derives for a record without a trusted one. It depends on the body. */
function plainId({ name, topic }: Domain, record: LogRecord, { id, source, type }: Record<string, string>): string {
  const { partition, offset, time } = record
  const text = String(record.value ?? '')
  const key = name === 'sums' ? dataOf(topic, text)?.requestId : undefined
  if (key !== undefined) {
    const hash = commandHash({ type: topic.plain ?? '', data: dataOf(topic, text), value: text }, topic)
    return derivedId('plain', name, String(key), hash)
  }
  if (id !== undefined) return derivedId('plain', name, source ?? '', id, bodyHash(type ?? '', text))
  const offsetId = derivedId(topic.name, String(partition), String(offset), new Date(time).toISOString())
  return derivedId('plain', offsetId, bodyHash(PLAIN, text))
}

function dataOf({ record }: Domain['topic'], text: string): { requestId?: string } | undefined {
  try {
    return record?.decode(text, { id: '', type: '' }) as { requestId?: string }
  } catch {
    return undefined
  }
}
