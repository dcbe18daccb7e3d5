import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { attempts, events, letters } from '#core/collections.ts'
import { deadLetters } from '#core/kafka-source-policy.ts'
import letterDomain from '#core/letters/domain.ts'
import type { Log, LogRecord } from '#core/log.ts'
import type { DecideDomain, Fields } from '#domains/domain.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { startTimedMill, type TimedMill } from '../timed-mill.ts'

/** A domain of pages that are written line by line. The events and the page have the order of the lines. */
const pages = { name: 'pages', indexes: {} }
const journal: DecideDomain = {
  kind: 'decide',
  name: 'journal',
  topic: { name: 'journal', partitions: 3 },
  ordering: 'ordered',
  commands: {
    'journal.write': {
      data: z.object({ page: z.string(), line: z.int() }),
      stream: ({ page }) => `page/${page}`,
      routes: [],
    },
  },
  collections: [pages],
  touches: ({ data }) => [{ collection: 'pages', ids: [String(data.page)] }],
  decide({ data }) {
    if (data.line === UNWRITABLE) throw new Error('the pen broke')
    return { events: [{ type: 'journal.written', data }] }
  },
  project({ data }, documents) {
    const text = documents.get('pages', String(data.page))?.text ?? ''
    return [{ collection: 'pages', document: { _id: String(data.page), text: `${text} ${data.line}` } }]
  },
  queries: [],
}
const UNWRITABLE = 13_000
const PAGES = ['a', 'b', 'c', 'd', 'e']

let mill: TimedMill
/** The number of lines on each page, and the number of tutorials. */
let written: number

beforeEach(async () => {
  mill = await startTimedMill([tutorials, journal, letterDomain])
  written = 0
})
afterEach(() => mill.stop())

const titles = () => Array.from({ length: written }, (_, n) => `tutorial-${n}`)
const lineIds = () => PAGES.flatMap((page) => Array.from({ length: written }, (_, line) => `${page}-${line}`))

/** Sends a tutorial, and a line for each page. */
async function write(): Promise<void> {
  const line = written++
  await mill.publish('tutorials.publish', `tutorial-${line}`, { title: `${line}` })
  for (const page of PAGES) await mill.publish('journal.write', `${page}-${line}`, { page, line })
}

const eventsOf = (page: string) =>
  mill.store.find(events, { index: 'stream', where: { key: `journal:page/${page}` }, limit: 1000 })

async function recordsOf(log: Log, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for await (const record of log.scan(topic)) records.push(record)
  return records
}

async function expectAllInOrder(): Promise<void> {
  const { store, log } = mill
  expect([...(await store.get(tutorials.documents.collection, titles())).keys()].sort()).toEqual(titles().sort())
  const onTopic = (await recordsOf(log, 'journal')).map(({ value }) => JSON.parse(String(value)) as Fields)
  const documents = await store.get(pages, PAGES)
  for (const page of PAGES) {
    const lines = onTopic.filter((line) => line.page === page).map(({ line }) => line)
    expect(lines).toHaveLength(written)
    const found = await eventsOf(page)
    expect(found.map(({ data }) => (data as Fields).line)).toEqual(lines)
    expect(found.map(({ number }) => number)).toEqual(lines.map((_, index) => index + 1))
    expect(documents.get(page)?.text).toBe(lines.map((line) => ` ${line}`).join(''))
  }
}

async function expectNothingGivenUp(): Promise<void> {
  const { store, log, answers } = mill
  expect(await recordsOf(log, deadLetters.name)).toEqual([])
  expect(await store.find(letters, { index: 'arrival', limit: 1 })).toEqual([])
  expect(await store.get(attempts, [...titles(), ...lineIds()])).toEqual(new Map())
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204, 503]))
}

/** The store returns during a different pause in each case. The longest pause is shorter than the rest of a minute. */
test.each([0, 17, 34, 51, 68])(
  'after 3 hours and %i s without MongoDB nothing is dropped, order is kept, and everything is applied within a minute',
  async (more) => {
    for (let round = 0; round < 5; round++) await write()
    await mill.pass(5)
    mill.setStore('ambiguous')
    await write()
    await mill.pass(0)
    for (let round = 0; round < 18; round++) {
      mill.setStore(round % 3 === 1 ? 'reads only' : 'unavailable')
      await write()
      await mill.pass(600)
    }
    await mill.pass(more)
    const before = (await Promise.all(PAGES.map(eventsOf))).flat()
    expect(before.length, 'an answer to a commit was lost').toBeGreaterThan(5 * PAGES.length)
    expect(mill.answers.length, 'the outage was felt').toBeGreaterThan(1000)
    await expectNothingGivenUp()

    mill.setStore('available')
    await write()
    await mill.pass(60)
    await mill.lagIs(0)
    await expectAllInOrder()
    await expectNothingGivenUp()
  },
  30_000,
)

test('an outage is no attempt: a fault has four attempts, after 1, 2 and 4 s, however long the store was unavailable', async () => {
  mill.setStore('unavailable')
  await write()
  await mill.publish('journal.write', 'broken', { page: 'a', line: UNWRITABLE })
  await mill.pass(3600)
  mill.setStore('available')
  await mill.pass(60, 20)
  await mill.lagIs(0)
  const tries = mill.answers.filter(({ id, status }) => id === 'broken' && status !== 503)
  expect(tries.map(({ status }) => status)).toEqual([500, 500, 500, 422])
  const pauses = tries.slice(1).map(({ began }, index) => began - (tries[index]?.began ?? 0))
  expect(pauses.map((pause) => Math.round(pause / 100) / 10)).toEqual([1, 2, 4])
  expect(await mill.store.find(letters, { index: 'arrival', limit: 9 })).toMatchObject([{ _id: 'broken', attempts: 4 }])
  expect(await eventsOf('a')).toHaveLength(1)
})
