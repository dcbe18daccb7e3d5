import { AssertionError } from 'node:assert'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { appendDomain } from '#domains/append-domain.ts'
import { decideDomain } from '#domains/decide-domain.ts'
import type { AppendDomain, DecideDomain } from '#domains/domain.ts'
import { given } from './given.ts'

const WRITE = 'orders:write'
const READ = 'orders:read'
const orderId = z.string().min(1)
const routes = [{ method: 'POST', path: '/api/orders', body: 'json' }] as const
const stream = ({ orderId }: { orderId: string }) => `order/${orderId}`
const item = z.object({ id: z.string(), amount: z.int(), isPaid: z.boolean() })

/** Orders that are placed and paid. The other commands have bugs. */
const orders = decideDomain({
  name: 'orders',
  topic: { name: 'orders', partitions: 1 },
  ordering: 'ordered',
  roles: { member: [READ, WRITE] },
  commands: {
    'orders.place': { scope: WRITE, data: z.strictObject({ orderId, amount: z.int().positive() }), stream, routes },
    'orders.pay': { scope: WRITE, data: z.strictObject({ orderId }), stream, routes: [] },
    'orders.spy': { data: z.strictObject({ orderId }), stream, routes: [] },
    'orders.steal': { data: z.strictObject({ orderId }), stream: () => 'order/thief', routes: [] },
    'orders.round': { data: z.strictObject({ orderId }), stream, routes: [] },
  },
  events: {
    'orders.placed': z.object({ customer: z.string(), amount: z.int() }),
    'orders.paid': z.object({ by: z.string() }),
  },
  collections: {
    orders: {
      schema: z.object({ customer: z.string(), amount: z.int(), isPaid: z.boolean() }),
      indexes: { customer: { fields: ['customer'] } },
    },
  },
  touches: ({ data }) => [{ collection: 'orders', ids: [data.orderId] }],
  context: ({ data }, documents) => documents.get('orders', data.orderId),
  rules: {
    'orders.place': {
      unless: [(_, order) => order !== undefined && 'it exists already'],
      events: ({ actor, data }) => [{ type: 'orders.placed', data: { customer: actor, amount: data.amount } }],
    },
    'orders.pay': {
      unless: [
        (_, order) => !order && 'there is no such order',
        (_, order) => order?.isPaid === true && 'it is paid already',
      ],
      events: ({ actor }) => [{ type: 'orders.paid', data: { by: actor } }],
    },
    'orders.spy': { events: () => [{ type: 'orders.paid', data: { by: 'spy' } }] },
    'orders.steal': { events: () => [{ type: 'orders.placed', data: { customer: 'thief', amount: 1 } }] },
    'orders.round': { events: () => [{ type: 'orders.placed', data: { customer: 'ada', amount: 0.5 } }] },
  },
  projections: {
    'orders.placed': ({ stream, data }) => {
      const id = stream === 'order/thief' ? '1' : stream.slice('order/'.length)
      return [{ collection: 'orders', document: { _id: id, ...data, isPaid: false } }]
    },
    'orders.paid': ({ stream, data }, documents) => {
      const id = stream.slice('order/'.length)
      const order = documents.get('orders', data.by === 'spy' ? 'another' : id)
      return order ? [{ collection: 'orders', document: { ...order, isPaid: true } }] : []
    },
  },
  views: {
    orderTotals: {
      schema: z.object({ amount: z.int() }),
      slots: true,
      zero: { amount: 0 },
      feeds: { 'orders.placed': { fold: ({ amount }, { data }) => ({ amount: amount + data.amount }) } },
    },
  },
  queries: ({ page, one, live, total }) => [
    page({
      path: '/api/orders',
      name: 'list',
      scope: READ,
      params: z.object({ customer: z.string() }),
      item,
      index: 'customer',
      where: ({ customer }) => ({ customer }),
      shape: ({ _id, amount, isPaid }) => ({ id: _id, amount, isPaid }),
    }),
    one({
      path: '/api/orders/{id}',
      name: 'one',
      item,
      shape: ({ _id, customer, amount, isPaid }, { caller }) =>
        customer === caller.id ? { id: _id, amount, isPaid } : undefined,
    }),
    live({
      path: '/api/live',
      name: 'live',
      item: z.object({ type: z.string() }),
      of: 'events',
      keep: () => true,
      shape({ type, data }) {
        if ('amount' in data && data.amount > 1000) throw new Error('too much to show')
        return { type }
      },
    }),
    total({ path: '/api/total', name: 'total', total: (slots) => String(slots.reduce((sum, s) => sum + s.amount, 0)) }),
  ],
})

const placed = { type: 'orders.placed', stream: 'order/1', data: { customer: 'ada', amount: 5 } } as const
const paid = { type: 'orders.paid', stream: 'order/1', data: { by: 'ada' } } as const
const pay = { type: 'orders.pay', data: { orderId: '1' }, actor: 'ada', scopes: [WRITE] } as const
const place = { type: 'orders.place', data: { orderId: '1', amount: 5 }, actor: 'ada' } as const
const paidByAda = { type: 'orders.paid', data: { by: 'ada' } } as const

test('given an event or the command that caused it, when the next command arrives, then the outcome is the same', async () => {
  for (const fact of [placed, place]) {
    const outcome = await given(orders, fact)
      .when(pay)
      .thenExpect({ events: [paidByAda], documents: { orders: { 1: { isPaid: true }, 2: null } } })
    const order = { _id: '1', customer: 'ada', amount: 5, isPaid: true }
    expect(outcome).toMatchObject({ events: [paidByAda], documents: { orders: { 1: order } } })
    expect(outcome.document('orders', '1')).toEqual(order)
    expect(await given(orders, fact).when(pay)).toMatchObject({ events: [paidByAda] })
  }
})

test('a command may be rejected, and may be invalid by its schema or without its scope', async () => {
  await given(orders, placed, paid).when(pay).thenExpect({ rejected: 'it is paid already' })
  const documents = { orders: { 1: null } }
  const nothing = given(orders)
  const negative = { ...place, data: { orderId: '1', amount: -1 } }
  const tooSmall = 'amount: Too small: expected number to be >0'
  await nothing.when(negative).thenExpect({ invalid: tooSmall, documents })
  const pattern = /^amount: /g
  for (const invalid of [pattern, pattern]) await nothing.when(negative).thenExpect({ invalid, documents })
  await given(orders, placed, paid).when(pay).thenExpect({ rejected: /paid/ })
  await nothing.when({ ...pay, scopes: [] }).thenExpect({ invalid: 'The scope orders:write is required.', documents })
})

test('a view in slots is counted, and every kind of query answers', async () => {
  const second = { ...placed, stream: 'order/2', data: { customer: 'bob', amount: 7 } }
  const both = given(orders, placed, second)
  await both.thenQuery('list', { customer: 'ada' }, { items: [{ id: '1', amount: 5 }] })
  await both.thenQuery('/api/orders?customer=bob', { items: [{ id: '2' }], next: null })
  await both.thenQuery('total', {}, 12)
  await both.thenQuery('live', {}, [{ type: 'orders.placed' }, { type: 'orders.placed' }])
  await both.when(pay).thenQuery('live', {}, [{ type: 'orders.paid' }])
  await both.when(pay).thenQuery('list', { customer: 'ada' }, { items: [{ isPaid: true }] })
  expect(await both.query('one', { id: '1' }, { caller: { id: 'ada' } })).toEqual({ id: '1', amount: 5, isPaid: false })
})

test('a query knows its caller, and may be refused', async () => {
  await given(orders, placed).thenQuery('one', { id: '1' }, { problem: 404 }, { caller: { id: 'bob' } })
  await given(orders).thenQuery('list', { customer: 'ada' }, { problem: 403 }, { caller: { id: 'eve', scopes: [] } })
  await given(orders).thenQuery('list', { customer: 'ada' }, { problem: 401 }, { caller: { scopes: [] } })
  await expect(given(orders).query('one', { id: '1' })).rejects.toThrow('There is no')
})

/** The error of a check that fails. */
async function failureOf(check: Promise<unknown>): Promise<AssertionError> {
  const error = await check.catch((error: unknown) => error)
  expect(error).toBeInstanceOf(AssertionError)
  return error as AssertionError
}

const nothing = given(orders)
const one = given(orders, placed)

test.each([
  [
    'given nothing, when orders.pay, then expected the event orders.paid, but it was rejected: there is no such order',
    () => nothing.when(pay).thenExpect({ events: [paidByAda] }),
  ],
  [
    'given nothing, when orders.pay, then expected it to be applied, but it was rejected: there is no such order',
    () => nothing.when(pay).thenExpect({ documents: { orders: { 1: null } } }),
  ],
  [
    'given orders.placed, when orders.pay, then expected no event, but it was applied with the event orders.paid',
    () => one.when(pay).thenExpect({ events: [] }),
  ],
  [
    'given orders.placed, when orders.pay, then expected the events orders.paid, orders.paid, but it was applied with the event orders.paid',
    () => one.when(pay).thenExpect({ events: [paidByAda, paidByAda] }),
  ],
  [
    'given orders.placed, when orders.pay, then expected data.by of the event orders.paid to be "bob", but it is "ada"',
    () => one.when(pay).thenExpect({ events: [{ type: 'orders.paid', data: { by: 'bob' } }] }),
  ],
  [
    'given orders.placed, when orders.pay, then expected no data.by of the event orders.paid, but there is one',
    () => one.when(pay).thenExpect({ events: [{ type: 'orders.paid', data: {} as { by: string } }] }),
  ],
  [
    'given orders.placed, when orders.pay, then expected it to be rejected: no, but it was applied with the event orders.paid',
    () => one.when(pay).thenExpect({ rejected: 'no' }),
  ],
  [
    'given orders.placed, orders.paid, when orders.pay, then expected it to be rejected: no, but it was rejected: it is paid already',
    () => given(orders, placed, paid).when(pay).thenExpect({ rejected: 'no' }),
  ],
  [
    'given nothing, when orders.pay, then expected it to be rejected: no, but it was invalid: orderId: Too small: expected string to have >=1 characters',
    () => nothing.when({ ...pay, data: { orderId: '' } }).thenExpect({ rejected: 'no' }),
  ],
  [
    'given nothing, when orders.pay, then expected it to be rejected with a reason that matches /paid/, but it was rejected: there is no such order',
    () => nothing.when(pay).thenExpect({ rejected: /paid/ }),
  ],
  [
    'given nothing, when orders.pay, then expected it to be invalid with a reason that matches /order/, but it was rejected: there is no such order',
    () => nothing.when(pay).thenExpect({ invalid: /order/ }),
  ],
  [
    'given nothing, when orders.pay, then expected it to be invalid: no, but it was rejected: there is no such order',
    () => nothing.when(pay).thenExpect({ invalid: 'no' }),
  ],
  [
    'given orders.placed, when orders.pay, then expected isPaid of the document 1 of orders to be false, but it is true',
    () => one.when(pay).thenExpect({ documents: { orders: { 1: { isPaid: false } } } }),
  ],
  [
    'given orders.placed, when orders.pay, then expected the document 2 of orders, but there is none',
    () => one.when(pay).thenExpect({ documents: { orders: { 2: {} } } }),
  ],
  [
    'given orders.placed, when orders.pay, then expected no document 1 of orders, but there is one',
    () => one.when(pay).thenExpect({ documents: { orders: { 1: null } } }),
  ],
  [
    'given orders.placed, then expected items.0.amount of the answer to the query list to be 6, but it is 5',
    () => one.thenQuery('list', { customer: 'ada' }, { items: [{ amount: 6 }] }),
  ],
  [
    'given orders.placed, then expected items of the answer to the query list to have 0 items, but it has 1 item',
    () => one.thenQuery('list', { customer: 'ada' }, { items: [] }),
  ],
  [
    'given orders.placed, when orders.pay, then expected the answer to the query total to be 6, but it is 5',
    () => one.when(pay).thenQuery('total', {}, 6),
  ],
  [
    'given orders.placed, then expected page of the answer to the query /api/orders?customer=ada to be 1, but there is none',
    () => one.thenQuery('/api/orders?customer=ada', { page: 1 }),
  ],
  [
    'given nothing, then expected the answer to the query one, but it was refused with 404: There is nothing with id 1.',
    () => nothing.thenQuery('one', { id: '1' }, { id: '1' }),
  ],
  [
    'given nothing, then expected the query list to be refused with 403, but it was answered',
    () => nothing.thenQuery('list', { customer: 'ada' }, { problem: 403 }),
  ],
  [
    'given orders.placed, orders.placed, orders.placed, orders.placed, orders.placed and 2 more, then expected the answer to the query total to be 1, but it is 35',
    () => given(orders, ...Array.from({ length: 7 }, () => placed)).thenQuery('total', {}, 1),
  ],
])('%s', async (message, check) => {
  expect((await failureOf(check())).message).toBe(message)
})

test('the error has both values, and its stack begins with the line of the test', async () => {
  const wrong = await failureOf(one.when(pay).thenExpect({ documents: { orders: { 1: { amount: 6, isPaid: true } } } }))
  expect(wrong).toMatchObject({ actual: { amount: 5, isPaid: true }, expected: { amount: 6, isPaid: true } })
  expect(wrong.stack?.split('\n').find((line) => /^\s+at /.test(line))).toContain('given.test.ts')
  const refused = await failureOf(nothing.when(pay).thenExpect({ events: [paidByAda] }))
  expect(refused).toMatchObject({ actual: { rejected: 'there is no such order' }, expected: { events: [paidByAda] } })
})

test.each([
  [
    'the given command orders.pay must be applied, but it was rejected: there is no such order',
    () => given(orders, pay).when(place),
  ],
  [
    'the event orders.placed does not fit its schema: data.amount: ',
    () => given(orders, { ...placed, data: { customer: 'ada', amount: 0.5 } }).when(pay),
  ],
  [
    'the event orders.placed, which the rule of orders.round made, does not fit its schema: data.amount: ',
    () => nothing.when({ type: 'orders.round', data: { orderId: '1' } }),
  ],
  [
    'touches names no "another" of collection orders. Add it to what touches returns.',
    () => one.when({ type: 'orders.spy', data: { orderId: '1' } }),
  ],
  [
    '1 of orders belongs to stream order/1: stream order/thief can not change it',
    () => one.when({ type: 'orders.steal', data: { orderId: '1' } }),
  ],
  [
    '1 of orders belongs to stream order/1: stream order/thief can not change it',
    () => given(orders, placed, { ...placed, stream: 'order/thief' }).when(pay),
  ],
  [
    'too much to show',
    () => given(orders, { ...placed, data: { customer: 'ada', amount: 1001 } }).thenQuery('live', {}, []),
  ],
  ['orders has no command orders.eat', () => given(orders as DecideDomain).when({ type: 'orders.eat', data: {} })],
  [
    'Millrace would not start:\ndomain orders, topic orders: partitions must be',
    () => given({ ...orders, topic: { name: 'orders', partitions: 0 } }).when(pay),
  ],
  ['orders has no query pages', () => given(orders as DecideDomain).thenQuery('pages', {}, {})],
  ['/api/orders/{id} needs id', () => given(orders as DecideDomain).thenQuery('one', {}, {})],
])('the code of the domain or of the test is at fault: %s', async (message, check) => {
  await expect(check()).rejects.toThrow(message)
})

test('given an event, then its projection may read and change any document of its stream or of none', async () => {
  const spied = { ...paid, data: { by: 'spy' } }
  const another = { ...placed, stream: 'order/another' }
  await expect(given(orders, another, spied).when(pay)).rejects.toThrow('belongs to stream order/another')
  await given(orders, placed, spied)
    .when(pay)
    .thenExpect({ events: [paidByAda] })
})

const time = '2031-01-01T00:00:00.000Z'
const notes = appendDomain({
  name: 'notes',
  commands: {
    'notes.write': {
      data: z.strictObject({ text: z.string().max(5), organisation: z.string().default('acme') }),
      organisation: ({ organisation }) => organisation,
      stream: (_, id) => id,
      routes,
    },
  },
  topic: {
    name: 'notes',
    partitions: 1,
    record: { contentType: 'text/plain', encode: ({ text }) => text, decode: (value) => ({ text: value }) },
  },
  documents: {
    collection: 'notes',
    schema: z.object({ text: z.string(), by: z.string(), time: z.iso.datetime() }),
    indexes: { time: { fields: ['time'] } },
    document: ({ data, actor, time }) => ({ text: data.text, by: actor, time }),
  },
  queries: ({ all }) => [
    all({
      path: '/api/notes',
      name: 'all',
      item: z.object({ text: z.string() }),
      index: 'time',
      shape: ({ text }) => ({ text }),
    }),
  ],
})

test('an append domain has documents and answers, and no events', async () => {
  const write = {
    type: 'notes.write',
    data: { text: 'Hello' },
    actor: 'ada',
    organisation: 'acme',
    id: 'n',
    time,
  } as const
  await given(notes)
    .when(write)
    .thenExpect({ events: [], documents: { notes: { n: { text: 'Hello', by: 'ada', time } } } })
  await given(notes, write).thenQuery('all', {}, [{ text: 'Hello' }])
  const { organisation: _, ...stranger } = write
  await given(notes).when(stranger).thenExpect({ invalid: 'The caller does not belong to this organisation.' })
  await expect(given(notes as AppendDomain, { type: 'x', stream: 'x', data: {} }).when(write)).rejects.toThrow(
    'notes is an append domain, which has no events',
  )
})

test('what does not fit the domain does not compile', () => {
  const checks = () => [
    // @ts-expect-error there is no such command
    one.when({ type: 'orders.eat', data: { orderId: '1' } }),
    // @ts-expect-error it has no amount
    one.when({ ...place, data: { orderId: '1' } }),
    // @ts-expect-error an order id is a string
    one.when({ type: 'orders.pay', data: { orderId: 1 } }),
    // @ts-expect-error a command has no stream
    one.when({ ...pay, stream: 'order/1' }),
    // @ts-expect-error there is no such event
    given(orders, { type: 'orders.eaten', stream: 'order/1', data: {} }),
    // @ts-expect-error it has no amount
    given(orders, { type: 'orders.placed', stream: 'order/1', data: { customer: 'ada' } }),
    // @ts-expect-error an event has a stream
    given(orders, { type: 'orders.placed', data: placed.data }),
    // @ts-expect-error there is no such event
    one.when(pay).thenExpect({ events: [{ type: 'orders.eaten', data: {} }] }),
    // @ts-expect-error events are compared with all their data
    one.when(pay).thenExpect({ events: [{ type: 'orders.paid', data: {} }] }),
    // @ts-expect-error it is either rejected or not
    one.when(pay).thenExpect({ events: [], rejected: 'no' }),
    // @ts-expect-error there is no such collection
    one.when(pay).thenExpect({ documents: { payments: {} } }),
    // @ts-expect-error an amount is a number
    one.when(pay).thenExpect({ documents: { orders: { 1: { amount: '5' } } } }),
    // @ts-expect-error there is no such query
    one.thenQuery('pages', {}, {}),
    // @ts-expect-error it needs a customer
    one.thenQuery('list', {}, { items: [] }),
    // @ts-expect-error there is no such parameter
    one.thenQuery('list', { customer: 'ada', colour: 'red' }, { items: [] }),
    // @ts-expect-error an amount is a number
    one.thenQuery('list', { customer: 'ada' }, { items: [{ amount: '5' }] }),
    // @ts-expect-error an append domain has no events
    given(notes, placed),
  ]
  expect(checks).toBeTypeOf('function')
})

test('a test takes milliseconds', async () => {
  const started = performance.now()
  for (let run = 0; run < 20; run++)
    await given(orders, placed)
      .when(pay)
      .thenExpect({ events: [paidByAda] })
  expect((performance.now() - started) / 20).toBeLessThan(200)
})
