import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { DecideDomain, Document } from '#domains/domain.ts'
import { DONE, REPEATED } from './applier.ts'
import type { ReceivedCommand } from './command.ts'
import { keyOf, type LoadedBatch } from './decide-load.ts'
import { type Plan, planBatch } from './decide-plan.ts'
import { headOf } from './stream.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')

/** Counters of at most a hundred, and a bug. */
const counting: DecideDomain = {
  kind: 'decide',
  name: 'counting',
  topic: { name: 'counting', partitions: 1 },
  ordering: 'ordered',
  commands: { count: { data: z.object({ counter: z.string(), by: z.int() }), stream: () => '', routes: [] } },
  collections: [{ name: 'counters', indexes: {} }],
  touches: ({ data }) => [{ collection: 'counters', ids: [String(data.counter)] }],
  decide({ data }, documents) {
    if (data.by === 13) throw new Error('bad luck')
    const count = Number(documents.get('counters', String(data.counter))?.count ?? 0)
    return count + Number(data.by) > 100 ? { rejected: 'too many' } : { events: [{ type: 'counted', data }] }
  },
  project({ data }, documents) {
    const count = Number(documents.get('counters', String(data.counter))?.count ?? 0)
    return [{ collection: 'counters', document: { _id: String(data.counter), count: count + Number(data.by) } }]
  },
  queries: [],
}

const count = (id: string, counter: string, by: number, changes: Partial<ReceivedCommand> = {}): ReceivedCommand => ({
  domain: counting,
  command: {
    id,
    type: 'count',
    stream: counter,
    time: '2026-01-01T00:00:00.000Z',
    actor: 'anonymous',
    scopes: [],
    offset: 0,
    data: { counter, by },
  },
  hash: `${counter} ${by}`,
  expected: undefined,
  bytes: 0,
  delivery: { specversion: '1.0', id, source: 'test', type: 'count' },
  verdict: 'sealed',
  ...changes,
})

const byId = (...documents: Document[]) => new Map(documents.map((document) => [document._id, document]))

/** A store with nothing in it but what the test says; heads by stream. */
function given({
  heads = {},
  ...known
}: Partial<Omit<LoadedBatch, 'heads'>> & { heads?: Record<string, object> } = {}) {
  return {
    when(...batch: ReceivedCommand[]): Plan {
      const keys = [...new Set(batch.map(keyOf))]
      const headAt = (key: string) => headOf(key, { _id: key, ...heads[key.slice('counting:'.length)] })
      const loaded: LoadedBatch = {
        heads: new Map(keys.map((key) => [key, headAt(key)])),
        receipts: new Map(),
        letters: new Map(),
        documents: new Map(),
        ...known,
      }
      return planBatch(counting, batch, loaded, NOW)
    },
  }
}

const letter = (_id: string, more = {}): Document => ({ _id, hash: 'x 1', error: 'bad luck', ...more })

test('given nothing, when two commands of a stream come, then the second sees the change of the first', () => {
  const [a, b] = [count('a', 'x', 60), count('b', 'x', 60)]
  const plan = given().when(a, b)
  expect([...plan.results]).toEqual([
    [a, DONE],
    [b, { ...DONE, report: { rejected: 'too many' } }],
  ])
  expect(plan.receipts).toMatchObject([
    { _id: 'a', hash: 'x 60', status: 'applied' },
    { _id: 'b', status: 'rejected', reason: 'too many' },
  ])
  expect(plan.events).toMatchObject([{ stream: 'x', number: 1, command: 'a' }])
  expect(plan.heads).toMatchObject([{ key: 'counting:x', version: 1, isParked: false }])
  expect(plan.documents).toMatchObject([{ insert: [{ _id: 'x', count: 60, _stream: 'x' }], own: [] }])
})

test('given a receipt of this body, when it comes again, then nothing is written', () => {
  const a = count('a', 'x', 1)
  const plan = given({ receipts: byId({ _id: 'a', hash: a.hash }) }).when(a)
  expect(plan.results.get(a)).toEqual(REPEATED)
  expect(plan).toMatchObject({ heads: [], events: [], receipts: [], reusedKeys: [], letters: [], removedLetters: [] })
})

test('given nothing, when one command comes twice in a batch, then it has one outcome', () => {
  const [first, again] = [count('a', 'x', 1), count('a', 'x', 1)]
  const plan = given().when(first, again)
  expect([plan.results.get(first), plan.results.get(again)]).toEqual([DONE, REPEATED])
  expect(plan.events).toHaveLength(1)
})

test('given a receipt of another body, when the id is reused, then that body is rejected', () => {
  const plan = given({ receipts: byId({ _id: 'a', hash: 'another' }) }).when(count('a', 'x', 1))
  expect(plan.reusedKeys).toMatchObject([{ _id: 'a.x 1', status: 'rejected', reusedKey: true }])
  expect(plan.heads).toEqual([])
})

test('given an expected version that is not there, then the command is rejected as stale', () => {
  const plan = given({ heads: { x: { version: 3 } } }).when(count('a', 'x', 1, { expected: 2 }))
  expect(plan.receipts).toMatchObject([{ _id: 'a', status: 'rejected', isStale: true }])
  expect(plan.events).toEqual([])
})

test('given rules that throw, then the rest of the stream waits, and other streams go on', () => {
  const [bug, behind, other] = [count('bug', 'x', 13), count('behind', 'x', 1), count('other', 'y', 1)]
  const plan = given().when(bug, behind, other)
  expect([...plan.faults]).toEqual([[bug, new Error('bad luck')]])
  expect([...plan.results.keys()]).toEqual([other])
  expect(plan.heads).toMatchObject([{ key: 'counting:y' }])
})

test('given a command that fails, when another body has its id in another stream, then it waits', () => {
  const plan = given().when(count('a', 'x', 13), count('a', 'y', 1))
  expect(plan.results.size).toBe(0)
})

test('given a parked stream, when commands come, then they become its next letters', () => {
  const plan = given({ heads: { x: { isParked: true, letters: 1 } } }).when(count('a', 'x', 1), count('b', 'x', 1))
  expect(plan.letters).toMatchObject([
    { _id: 'a', number: 2, key: 'counting:x' },
    { _id: 'b', number: 3 },
  ])
  expect(plan.heads).toMatchObject([{ isParked: true, letters: 3, version: 0 }])
  expect(plan.events).toEqual([])
})

test('given a letter of this body, then the command is as parked as its letter', () => {
  const a = count('a', 'x', 1)
  const plan = given({ heads: { x: { isParked: true } }, letters: byId(letter('a')) }).when(a)
  expect(plan.results.get(a)).toEqual({ status: 422, detail: 'bad luck' })
})

describe('a redrive', () => {
  const redrive = (of: Document, changes = {}) => ({ letter: of, isFollowed: false, hasReceipt: false, ...changes })
  const parked = { x: { isParked: true, letters: 2 } }

  test('given the last letter of a parked stream, then it is applied, removed, and unparks the stream', () => {
    const plan = given({ heads: parked, redrive: redrive(letter('a', { key: 'counting:x' })) }).when(count('a', 'x', 1))
    expect(plan.events).toHaveLength(1)
    expect(plan.removedLetters).toEqual(['a'])
    expect(plan.heads).toMatchObject([{ isParked: false, version: 1 }])
    expect(plan.receipts.map(({ _id, status }) => [_id, status])).toEqual([['a', 'applied']])
  })

  test('given letters behind it, then the stream stays parked', () => {
    const first = redrive(letter('a', { key: 'counting:x' }), { isFollowed: true })
    expect(given({ heads: parked, redrive: first }).when(count('a', 'x', 1)).heads).toMatchObject([{ isParked: true }])
  })

  test('given a command that took effect since, then only its letter goes', () => {
    const settled = { receipts: byId({ _id: 'a', hash: 'x 1' }) }
    const plan = given({ heads: parked, ...settled, redrive: redrive(letter('a', { key: 'counting:x' })) }).when(
      count('a', 'x', 1),
    )
    expect(plan).toMatchObject({ events: [], receipts: [], removedLetters: ['a'], heads: [{ isParked: false }] })
  })

  test('given a letter without a parked stream, then its end has a receipt', () => {
    const plan = given({ redrive: redrive(letter('a')) }).when(count('a', 'x', 1))
    expect(plan.receipts.map(({ _id, status }) => [_id, status])).toEqual([
      ['a', 'applied'],
      ['a.x 1', 'redriven'],
    ])
  })

  test('given a letter without a parked stream whose end has a receipt, then there is no other one', () => {
    const plan = given({ redrive: redrive(letter('a'), { hasReceipt: true }) }).when(count('a', 'x', 1))
    expect(plan.receipts.map(({ _id }) => _id)).toEqual(['a'])
  })

  test('given a parked stream that is not the letter’s, then its first letter must go before', () => {
    const a = count('a', 'x', 1)
    const plan = given({ heads: parked, redrive: redrive(letter('a')) }).when(a)
    expect(plan.faults.get(a)).toMatchObject({ message: expect.stringContaining('first letter first') })
  })
})

test('a plan leaves what was loaded as it was', () => {
  const heads = new Map([['counting:x', headOf('counting:x', undefined)]])
  const documents = new Map([['counters', byId({ _id: 'x', count: 5 })]])
  const loaded: LoadedBatch = { heads, receipts: new Map(), letters: new Map(), documents }
  planBatch(counting, [count('a', 'x', 1)], loaded, NOW)
  const other = planBatch(counting, [count('a', 'x', 1)], loaded, NOW)
  expect(heads.get('counting:x')?.version).toBe(0)
  expect(other.documents).toMatchObject([{ own: [{ _id: 'x', count: 6 }] }])
})
