import { beforeEach, expect, test } from 'vitest'
import { collections, letters } from '#core/collections.ts'
import { PLAIN } from '#core/delivery.ts'
import letterDomain from '#core/letters/domain.ts'
import type { Domain } from '#domains/domain.ts'
import { authorFiles, keptLog } from '#test/author.ts'
import { ask, clock, count, outcomeOf, world } from '#test/counting.ts'
import { quiet } from '#test/telemetry.ts'
import { trusting } from '#test/trust.ts'
import { type Persister, persister } from './persister.ts'

/** A command throws in the part of its domain that its data names. */
const parts = `
import { z } from 'zod'
export const mend = { isDone: false }
export function check(data: any, part: string) {
  if (data.part === part && !mend.isDone) data.missing.sum // the bug
}
export const topic = (name: string) => ({
  name,
  partitions: 1,
  record: {
    contentType: 'application/json',
    encode: (data: any) => JSON.stringify(data),
    decode(value: string) {
      const data = JSON.parse(value)
      check(data, 'decode') // decode
      return data
    },
  },
})
export const type = {
  data: z.object({ part: z.string() }).refine((data) => {
    check(data, 'data') // data
    return true
  }),
  stream(data: any) {
    check(data, 'stream') // stream
    return \`order/\${data.part}\`
  },
  key(data: any) {
    check(data, 'key') // key
    return data.key
  },
  routes: [],
}
`
const orders = `
import { check, topic, type } from './parts.ts'
export default {
  kind: 'decide',
  name: 'orders',
  topic: { ...topic('orders'), plain: 'orders.pay' },
  ordering: 'ordered',
  commands: { 'orders.pay': type },
  collections: [{ name: 'orders', indexes: {} }],
  touches({ data }: any) {
    check(data, 'touches') // touches
    return [{ collection: 'orders', ids: [data.part] }]
  },
  decide({ data }: any) {
    check(data, 'decide') // decide
    return { events: [{ type: 'orders.paid', data }] }
  },
  project({ data }: any) {
    check(data, 'project') // project
    return [{ collection: 'orders', document: { _id: data.part } }]
  },
  views: [
    {
      collection: { name: 'sales', indexes: {} },
      zero: { total: 0 },
      isSlotted: true,
      keys({ data }: any) {
        check(data, 'keys') // keys
        return ['']
      },
      fold(total: any, { data }: any) {
        check(data, 'fold') // fold
        return total
      },
    },
  ],
  queries: [],
}
`
const visits = `
import { check, topic, type } from './parts.ts'
export default {
  kind: 'append',
  name: 'visits',
  topic: topic('visits'),
  commands: { 'visits.add': type },
  documents: {
    collection: { name: 'visits', indexes: {} },
    document({ data }: any) {
      check(data, 'document') // document
      return { part: data.part }
    },
  },
  queries: [],
}
`
const { load, placeOf } = authorFiles({
  'domains/shop/parts.ts': parts,
  'domains/shop/orders.ts': orders,
  'domains/shop/visits.ts': visits,
})
const domains = ['orders', 'visits'].map((name) => load<{ default: Domain }>(`domains/shop/${name}.ts`).default)
const { mend } = load<{ mend: { isDone: boolean } }>('domains/shop/parts.ts')

let log: ReturnType<typeof keptLog>
let persist: Persister['persist']

beforeEach(async () => {
  mend.isDone = false
  log = keptLog()
  await world.store.prepare(collections([...domains, letterDomain]))
  persist = persister({
    ...quiet(),
    logger: log.logger,
    domains: [...domains, letterDomain],
    store: world.store,
    clock,
    random: Math.random,
    instance: 'pod-1',
    maxInFlight: 10,
    trust: trusting,
  }).persist
})

const MESSAGE = "Cannot read properties of undefined (reading 'sum')"
const deliver = (type: string, part: string) =>
  persist(
    count(`in ${part}`, 'x', 1, {
      type,
      source: '/millrace/publish#orders',
      partitionkey: `order/${part}`,
      data: JSON.stringify({ part }),
    }),
  )
const letterOf = async (id: string) => (await world.store.get(letters, [id])).get(id)
const framesAt = (part: string, name = part) => [
  expect.stringMatching(/ check$/),
  expect.stringMatching(new RegExp(` ?${name}$`)),
]

test.each([
  ['orders', 'orders.pay', 'touches'],
  ['orders', 'orders.pay', 'decide'],
  ['orders', 'orders.pay', 'project'],
  ['orders', 'orders.pay', 'keys'],
  ['orders', 'orders.pay', 'fold'],
  ['visits', 'visits.add', 'document'],
])('in %s a bug of %s in %s is in the log line of each attempt and in the letter', async (domain, type, part) => {
  for (const status of [500, 500, 500, 422]) expect((await deliver(type, part)).status).toBe(status)
  const where = { domain, type, stream: `order/${part}` }
  const report = { ...where, command: `in ${part}`, detail: MESSAGE, frames: framesAt(part) }
  expect(log.lines).toEqual([
    expect.objectContaining({ ...report, attempts: 1, status: 500, message: 'not applied' }),
    expect.objectContaining({ ...report, attempts: 2, status: 500, message: 'not applied' }),
    expect.objectContaining({ ...report, attempts: 3, status: 500, message: 'not applied' }),
    expect.objectContaining({ ...report, attempts: 4, status: 422, message: 'parked' }),
  ])
  const letter = await letterOf(`in ${part}`)
  expect(letter).toMatchObject({ ...where, error: MESSAGE, frames: framesAt(part) })
  const [bug, caller] = (letter?.frames ?? []) as string[]
  expect(bug).toContain(placeOf('the bug'))
  expect(caller).toContain(placeOf(part))
})

test.each([
  ['decode', 'can not be decoded'],
  ['data', 'can not be read'],
  ['stream', 'can not be read'],
  ['key', 'can not be read'],
])('a bug in %s becomes a letter with its place at once', async (part, reason) => {
  expect((await deliver(PLAIN, part)).status).toBe(422)
  const report = { domain: 'orders', type: 'orders.pay', frames: framesAt(part, '') }
  expect(log.lines).toEqual([
    expect.objectContaining({ ...report, detail: `${reason}: ${MESSAGE}`, message: 'parked' }),
  ])
  const letter = await letterOf(String(log.lines[0]?.command))
  expect(letter).toMatchObject({ ...report, error: `${reason}: ${MESSAGE}` })
  const [, caller] = (letter?.frames ?? []) as string[]
  expect(caller).toContain(placeOf(part))
})

test('a redrive that fails again reports the new place, and one after the mend none', async () => {
  for (const part of ['decide', 'decode'])
    for (let attempt = 1; attempt <= 4; attempt++) await deliver('orders.pay', part)
  log.lines.length = 0
  await persist(ask('r-1', 'redrive', { domain: 'orders' }))
  expect(await outcomeOf('r-1')).toMatchObject({
    redriven: 0,
    failures: 2,
    failed: [
      { id: 'in decide', error: MESSAGE, frames: framesAt('decide') },
      { id: 'in decode', frames: framesAt('decode') },
    ],
  })
  expect(log.lines).toMatchObject([
    { command: 'in decide', domain: 'orders', type: 'orders.pay', stream: 'order/decide', frames: framesAt('decide') },
    { command: 'in decode', frames: framesAt('decode') },
  ])
  mend.isDone = true
  await persist(ask('r-2', 'redrive', { domain: 'orders' }))
  expect(await outcomeOf('r-2')).toMatchObject({ redriven: 2, failures: 0, failed: [] })
})

test('a redriven command has a line like any other one, and a copy of a letter has none but for debugging', async () => {
  for (let attempt = 1; attempt <= 4; attempt++) await deliver('orders.pay', 'decide')
  for (let attempt = 1; attempt <= 4; attempt++) await deliver('visits.add', 'document')
  log.lines.length = 0
  const copy = count('in decide', 'x', 1, {
    type: 'orders.pay',
    partitionkey: 'order/decide',
    knativeerrordest: '/persist',
  })
  expect(await persist({ ...copy, data: JSON.stringify({ part: 'decide' }) })).toEqual({ status: 204 })
  expect(log.lines).toEqual([])
  log.logger.debug = log.logger.info
  mend.isDone = true
  await persist(ask('r-1', 'redrive', { from: '2026-01-01T00:00:00.000Z' }))
  const line = { actor: expect.any(String), ms: expect.any(Number), status: 204, message: 'applied' }
  expect(log.lines).toEqual([
    expect.objectContaining({ ...line, command: 'in decide', type: 'orders.pay', stream: 'order/decide' }),
    expect.objectContaining({ ...line, command: 'in document', type: 'visits.add', stream: 'order/document' }),
    expect.objectContaining({ ...line, command: 'r-1', type: 'letters.redrive' }),
  ])
})
