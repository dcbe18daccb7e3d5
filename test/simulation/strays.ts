import type { NewRecord } from '#adapters/log/log.ts'
import type { Topics } from './log.ts'

/** What stands in a topic and was not written by publish: by an old producer, a version to come, or nobody in his right mind. */
export const STRAYS = {
  'unknown type': (topics: Topics, now: number) =>
    void topics.append('purses', event('unknown', 'purses.forgotten', '{}', now), now),
  'bad data': (topics: Topics, now: number) =>
    void topics.append('purses', event('bad', 'purses.move', '{"purse":"a","by":"much"}', now), now),
  tombstone: (topics: Topics, now: number) =>
    void topics.append('purses', event('tombstone', 'purses.move', null, now), now),
  'old sum': (topics: Topics, now: number) => {
    const value = { requestId: 'r-1', 'First Number': 100, 'Second Number': 200, Result: 300, produceTimestamp: now }
    topics.append('summation', { key: 'r-1', value: JSON.stringify(value) }, now)
  },
  'old title': (topics: Topics, now: number) =>
    void topics.append('tutorials-topic', { key: null, value: 'an old title' }, now),
  rubbish: (topics: Topics, now: number) => void topics.append('summation', { key: null, value: 'stray rubbish' }, now),
}

export type Stray = keyof typeof STRAYS

/** Whether a letter is of one that nobody can apply. */
export const isStray = ({ record, event }: Record<string, unknown>): boolean =>
  JSON.stringify([record, event]).includes('stray')

const event = (name: string, type: string, value: string | null, now: number): NewRecord => ({
  key: 'purse/a',
  value,
  headers: {
    ce_specversion: '1.0',
    ce_id: `stray-${name}-${now}`,
    ce_source: '/stray#purses',
    ce_type: type,
    ce_time: new Date(now).toISOString(),
    ce_partitionkey: 'purse/a',
    'content-type': 'application/json',
  },
})
