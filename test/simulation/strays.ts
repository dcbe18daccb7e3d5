import { bodyHash } from '#core/ids.ts'
import type { NewRecord } from '#core/log.ts'
import { seals } from '#core/seals.ts'
import { SEALS } from '../trust.ts'
import type { Topics } from './log.ts'

type Put = (topics: Topics, now: number) => void

/** Records that this publish has not written: from an old producer, from a later version, or malformed. */
const OTHERS = {
  'unknown type': (topics, now) => void topics.append('purses', sealed('unknown', 'purses.forgotten', '{}', now), now),
  'bad data': (topics, now) =>
    void topics.append('purses', sealed('bad', 'purses.move', '{"purse":"a","by":"much"}', now), now),
  tombstone: (topics, now) => void topics.append('purses', sealed('tombstone', 'purses.move', null, now), now),
  'old sum': (topics, now) => {
    const value = { requestId: 'r-1', 'First Number': 100, 'Second Number': 200, Result: 300, produceTimestamp: now }
    topics.append('summation', { key: 'r-1', value: JSON.stringify(value) }, now)
  },
  'old title': (topics, now) => void topics.append('tutorials-topic', { key: null, value: 'an old title' }, now),
  rubbish: (topics, now) => void topics.append('summation', { key: null, value: 'stray rubbish' }, now),
} satisfies { [name: string]: Put }

const PURSE = '{"purse":"a","by":1000}'

/** Records of an attacker who can read and write the topics, but does not have publish's secret. */
const FORGERIES = {
  'forged command': (topics, now) => void topics.append('purses', event('forged', 'purses.move', PURSE, now), now),
  'forged seal': (topics, now) => {
    const foreign = seals(['a secret that only a forger has'])
    const record = sealed('foreign', 'purses.move', PURSE, now, foreign.seal)
    topics.append('purses', record, now)
  },
  'seal of another value': (topics, now) => {
    const { headers } = lastOf(topics, 'purses') ?? {}
    if (headers)
      topics.append('purses', { key: 'purse/a', value: PURSE, headers: { ...headers, ce_stray: 'yes' } }, now)
  },
  'seal again': (topics, now) => {
    const last = lastOf(topics, 'purses')
    if (!last) return
    const headers = { ...last.headers, ce_id: 'again', ce_actor: 'root', ce_time: new Date(now).toISOString() }
    topics.append('purses', { ...last, headers }, now)
  },
  'id of another': (topics, now) => {
    const { ce_id = `stray-squatter-${now}` } = lastOf(topics, 'tutorials-topic')?.headers ?? {}
    const squatter = event('squatter', 'tutorials.publish', 'a squatter', now)
    const headers = { ...squatter.headers, 'content-type': 'text/vnd.millrace.title', ce_id }
    topics.append('tutorials-topic', { ...squatter, headers }, now)
  },
} satisfies { [name: string]: Put }

export const STRAYS = { ...OTHERS, ...FORGERIES }

export type Stray = keyof typeof STRAYS

/** True when the letter's record can never be applied. */
export const isStray = ({ record, event }: Record<string, unknown>): boolean =>
  JSON.stringify([record, event]).includes('stray')

/** The last record of the topic, if it has a seal. */
function lastOf(topics: Topics, topic: string): (NewRecord & { headers: Record<string, string> }) | undefined {
  const records = topics.partitions(topic).flat()
  const last = records.toSorted((a, b) => a.time - b.time || a.offset - b.offset).at(-1)
  if (!last) return undefined
  const headers = Object.fromEntries(last.headers.map(([name, value]) => [name, String(value)]))
  return headers.ce_seal === undefined ? undefined : { key: last.key, value: last.value, headers }
}

const event = (name: string, type: string, value: string | null, now: number): Required<NewRecord> => ({
  key: 'purse/a',
  value,
  headers: {
    ce_specversion: '1.0',
    ce_id: `stray-${name}-${now}`,
    ce_source: '/stray#purses',
    ce_type: type,
    ce_time: new Date(now).toISOString(),
    ce_partitionkey: 'purse/a',
    ce_actor: 'root',
    'content-type': 'application/json',
  },
})

const sealed = (name: string, type: string, value: string | null, now: number, seal = SEALS.seal): NewRecord => {
  const record = event(name, type, value, now)
  const id = `stray-${name}-${now}`
  const vouched = { topic: 'purses', id, type, time: now, stream: 'purse/a', actor: 'ada' }
  return { ...record, headers: { ...record.headers, ce_seal: seal({ ...vouched, body: bodyHash(type, value ?? '') }) } }
}
