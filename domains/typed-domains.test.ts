import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { appendDomain } from './append-domain.ts'
import { decideDomain, defineCommands, defineViews } from './decide-domain.ts'
import type { Command, DocumentReader } from './domain.ts'

const topic = { name: 'orders', partitions: 1 }
const parts = { name: 'orders', topic, ordering: 'ordered', touches: () => [] } as const
const data = z.strictObject({
  customer: z.string(),
  note: z.string().optional(),
  way: z.union([z.literal('post'), z.object({ box: z.int() })]),
})
const stream = (_: unknown, id: string) => `order/${id}`
const commands = defineCommands({ 'orders.place': { data, stream, routes: [] } })
const events = { 'orders.placed': z.object({ customer: z.string(), note: z.string().optional() }) }
const collections = {
  orders: {
    schema: z.object({ customer: z.string(), placedAt: z.string(), words: z.array(z.string()) }),
    indexes: {
      customer: { fields: ['customer', 'placedAt'] },
      words: { fields: ['words', 'placedAt'], each: 'words' },
    },
  },
} as const
const rules = { 'orders.place': { events: () => [] } }
const projections = { 'orders.placed': () => [] }
const queries = () => []

test('everything follows from the schemas', () => {
  const domain = decideDomain({
    name: 'orders',
    topic,
    ordering: 'ordered',
    commands: {
      'orders.place': {
        data,
        stream(data) {
          expectTypeOf(data).toEqualTypeOf<z.output<(typeof commands)['orders.place']['data']>>()
          return data.customer
        },
        key: ({ note }) => note,
        routes: [{ method: 'POST', path: '/api/orders', body: 'json', answer: ({ customer }) => ({ customer }) }],
      },
    },
    events,
    collections,
    touches: ({ id }) => [{ collection: 'orders', ids: [id] }],
    context: (_, documents) => documents.get('orders', '1'),
    rules: {
      'orders.place': {
        unless: [({ data }, order) => order?.customer === data.customer && 'the customer has an order'],
        events: ({ data: { customer, note } }) => [{ type: 'orders.placed', data: { customer, note } }],
      },
    },
    projections: {
      'orders.placed': ({ command, time, data: { customer } }) => [
        { collection: 'orders', document: { _id: command, customer, placedAt: time, words: [] } },
      ],
    },
    views: {
      customers: {
        schema: z.object({ orders: z.int(), notes: z.array(z.string()) }),
        indexes: { orders: { fields: ['orders'] } },
        zero: { orders: 0, notes: [] },
        feeds: {
          'orders.placed': {
            key(event) {
              expectTypeOf(event.data).toEqualTypeOf<{ customer: string; note?: string | undefined }>()
              return event.data.customer
            },
            fold: ({ orders, notes }, { data: { note } }) => ({
              orders: orders + 1,
              notes: note ? [...notes, note] : notes,
            }),
          },
        },
      },
      totals: {
        schema: z.object({ orders: z.int() }),
        slots: true,
        zero: { orders: 0 },
        feeds: { 'orders.placed': { fold: ({ orders }) => ({ orders: orders + 1 }) } },
      },
    },
    queries: ({ page, all, total }) => [
      page({
        path: '/api/customers/{customer}/orders',
        params: z.object({ from: z.string().optional() }),
        item: z.object({ id: z.string(), isOwn: z.boolean() }),
        index: 'customer',
        where: ({ customer }) => ({ customer }),
        range: ({ from }) => ({ from }),
        shape: ({ _id, customer }, { caller }) => ({ id: _id, isOwn: customer === caller.id }),
      }),
      all({
        path: '/api/all',
        index: 'customer',
        where: (_, { id }) => ({ customer: id }),
        shape: ({ _id }, { caller }) => ({ id: _id, for: caller.id }),
      }),
      page({
        path: '/api/customers',
        from: 'customers',
        index: 'orders',
        range: () => ({ from: 1 }),
        shape(customer) {
          expectTypeOf(customer).toExtend<{ _id: string; orders: number; notes: string[] }>()
          return { name: customer._id }
        },
      }),
      page({ path: '/api/found', index: 'words', where: () => ({ words: 'mill' }), shape: ({ _id }) => ({ id: _id }) }),
      total({ path: '/api/total', total: (slots) => String(slots.reduce((sum, { orders }) => sum + orders, 0)) }),
    ],
  })
  expectTypeOf(domain.contract.queries[0].path).toEqualTypeOf<'/api/customers/{customer}/orders'>()
  expectTypeOf(domain.contract.commands['orders.place'].routes[0].body).toEqualTypeOf<'json'>()
  expect(domain.collections).toEqual([{ name: 'orders', indexes: collections.orders.indexes }])
})

const all = { ...parts, commands, events, collections, rules, projections, queries }

test('what does not fit the schemas does not compile', () => {
  void [
    // @ts-expect-error a time is not JSON
    () => defineCommands({ 'orders.place': { data: z.object({ at: z.date() }), stream, routes: [] } }),
    // @ts-expect-error a command has no such member
    () => defineCommands({ 'orders.place': { data, stream, routes: [], permission: 'orders:write' } }),
    // @ts-expect-error a bigint is not JSON
    () => decideDomain({ ...all, events: { 'orders.placed': z.object({ amount: z.bigint() }) } }),
    // @ts-expect-error the data has no such member
    () => defineCommands({ 'orders.place': { data, stream: ({ custmer }) => custmer, routes: [] } }),
    () =>
      decideDomain({
        ...all,
        collections: {
          orders: {
            schema: z.object({ customer: z.string() }),
            // @ts-expect-error the documents have no such field
            indexes: { by: { fields: ['custmer'] } },
          },
        },
      }),
    // @ts-expect-error there is no such collection
    () => decideDomain({ ...all, touches: () => [{ collection: 'order', ids: [] }] }),
    // @ts-expect-error a command has no rule
    () => decideDomain({ ...all, rules: {} }),
    // @ts-expect-error there is no such event
    () => decideDomain({ ...all, rules: { 'orders.place': { events: () => [{ type: 'orders.paid', data: {} }] } } }),
    // @ts-expect-error the event has other data
    () => decideDomain({ ...all, rules: { 'orders.place': { events: () => [{ type: 'orders.placed', data: {} }] } } }),
    // @ts-expect-error an event has no projection
    () => decideDomain({ ...all, projections: {} }),
    () =>
      decideDomain({
        ...all,
        // @ts-expect-error the document lacks a field
        projections: { 'orders.placed': () => [{ collection: 'orders', document: { _id: 'a' } }] },
      }),
    // @ts-expect-error there are neither rules nor decide
    () => decideDomain({ ...parts, commands, events, collections, projections, queries }),
    // @ts-expect-error the topic's plain command does not exist
    () => decideDomain({ ...all, topic: { ...topic, plain: 'orders.pay' } }),
    () =>
      decideDomain({
        ...all,
        queries: ({ page, live }) => [
          // @ts-expect-error there is no such index
          page({ path: '/a', index: 'custmer', shape: () => ({}) }),
          // @ts-expect-error this is not the first field of the index
          page({ path: '/a', index: 'customer', where: () => ({ placedAt: '' }), shape: () => ({}) }),
          // @ts-expect-error an item of the list is a string
          page({ path: '/a', index: 'words', where: () => ({ words: 5 }), shape: () => ({}) }),
          // @ts-expect-error the item has another field
          page({ path: '/a', index: 'customer', item: z.object({ id: z.string() }), shape: () => ({ di: '' }) }),
          page({
            path: '/a/{customer}',
            index: 'customer',
            // @ts-expect-error the path has another parameter
            where: ({ custmer }) => ({ customer: custmer }),
            shape: () => ({}),
          }),
          live({
            path: '/a',
            of: { collection: 'orders' },
            keep: () => true,
            shape(_, { before }) {
              expectTypeOf(before?.customer).toEqualTypeOf<string | undefined>()
              return {}
            },
          }),
          // @ts-expect-error an event never changes
          live({ path: '/a', of: 'events', keep: () => true, shape: (_, { before }) => ({ before }) }),
          // @ts-expect-error there is no such collection
          live({ path: '/a', of: { collection: 'order' }, keep: () => true, shape: () => ({}) }),
        ],
      }),
    () =>
      appendDomain({
        name: 'notes',
        topic,
        commands,
        documents: { collection: 'notes', schema: z.object({}), indexes: {}, document: () => ({}) },
        queries: ({ live }) => [
          // @ts-expect-error an append domain has no events
          live({ path: '/a', of: 'events', keep: () => true, shape: () => ({}) }),
          // @ts-expect-error its documents never change
          live({ path: '/a', of: { collection: 'notes' }, keep: () => true, shape: (_, { before }) => ({ before }) }),
        ],
      }),
    () =>
      appendDomain({
        name: 'notes',
        topic,
        commands,
        // @ts-expect-error the document lacks the time
        documents: { collection: 'notes', schema: z.object({ time: z.string() }), indexes: {}, document: () => ({}) },
        queries,
      }),
  ]
})

const counted = { schema: z.object({ orders: z.int() }), zero: { orders: 0 } }
const fold = ({ orders }: { orders: number }) => ({ orders: orders + 1 })
const key = () => 'ada'

test('a view that does not fit the events and its schema does not compile', () => {
  const feeds = { 'orders.placed': { key, fold } }
  void [
    () => decideDomain({ ...all, views: { customers: { ...counted, feeds } } }),
    () =>
      decideDomain({ ...all, views: { totals: { ...counted, slots: true, feeds: { 'orders.placed': { fold } } } } }),
    // @ts-expect-error a view without slots needs keys
    () => decideDomain({ ...all, views: { totals: { ...counted, feeds: { 'orders.placed': { fold } } } } }),
    () =>
      decideDomain({
        ...all,
        // @ts-expect-error there is no such event
        views: { customers: { ...counted, feeds: { 'orders.plcaed': { key: ({ data }) => data.customer, fold } } } },
      }),
    // @ts-expect-error the data has no such member
    () => defineViews(events, { a: { ...counted, feeds: { 'orders.placed': { key: (e) => e.data.custmer, fold } } } }),
    // @ts-expect-error the document lacks a field
    () => defineViews(events, { customers: { ...counted, feeds: { 'orders.placed': { key, fold: () => ({}) } } } }),
    // @ts-expect-error zero lacks a field
    () => defineViews(events, { customers: { ...counted, zero: {}, feeds } }),
    // @ts-expect-error the documents have no such field
    () => defineViews(events, { customers: { ...counted, indexes: { by: { fields: ['ordrs'] } }, feeds } }),
    () =>
      decideDomain({
        ...all,
        views: {
          customers: { ...counted, indexes: { orders: { fields: ['orders'] } }, feeds },
          totals: { ...counted, slots: true, feeds },
        },
        queries: ({ page, total }) => [
          page({ path: '/a', from: 'customers', index: 'orders', shape: ({ orders }) => ({ orders }) }),
          // The orders are the only collection.
          page({ path: '/b', index: 'customer', shape: ({ placedAt }) => ({ placedAt }) }),
          total({ path: '/c/{name}', from: 'totals', key: ({ name }) => name, total: ([slot]) => `${slot?.orders}` }),
          // @ts-expect-error only a total reads a view in slots
          page({ path: '/d', from: 'totals', index: 'orders', shape: () => ({}) }),
          // @ts-expect-error the view has no such index
          page({ path: '/e', from: 'customers', index: 'customer', shape: () => ({}) }),
          // @ts-expect-error the view has no slots
          total({ path: '/f', from: 'customers', total: () => '0' }),
        ],
      }),
    () =>
      decideDomain({
        ...all,
        collections: { ...collections, others: collections.orders },
        // @ts-expect-error the domain has several collections
        queries: ({ page }) => [page({ path: '/a', index: 'customer', shape: () => ({}) })],
      }),
  ]
})

test('the start knows of a view without keys, and of a zero that does not fit', () => {
  const wrong = { totals: { ...counted, zero: {}, feeds: { 'orders.placed': { fold } } } }
  expect(decideDomain({ ...all, views: wrong as never }).declared?.views).toEqual({
    totals: {
      feeds: ['orders.placed'],
      unkeyed: ['orders.placed'],
      misfit: 'orders: Invalid input: expected number, received undefined',
    },
  })
})

const command = { id: '1', type: 'orders.place', data: { customer: 'ada', way: 'post' } } as unknown as Command
const documents: DocumentReader = { get: () => undefined }
const deciding = (made: { type: string; data: object }) =>
  decideDomain({
    ...parts,
    commands,
    events,
    collections,
    projections,
    queries,
    decide: () => ({ events: [made as never] }),
  })

test('a rule that makes an event that does not fit its schema is at fault, with the place in the data', () => {
  const { decide } = deciding({ type: 'orders.placed', data: { customer: 5 } })
  expect(() => decide(command, documents)).toThrow(
    'the event orders.placed, which the rule of orders.place made, does not fit its schema: data.customer: Invalid input: expected string, received number (5)',
  )
})

test('a rule that makes an event that is not declared is at fault', () => {
  const { decide } = deciding({ type: 'orders.paid', data: {} })
  expect(() => decide(command, documents)).toThrow(
    'the event orders.paid, which the rule of orders.place made, is not declared: events has orders.placed',
  )
})

test('the first rejection that applies is the reason', () => {
  const { decide } = decideDomain({
    ...parts,
    commands,
    events,
    collections,
    projections,
    queries,
    rules: {
      'orders.place': {
        unless: [() => false, ({ data }) => data.customer === 'ada' && 'not ada', () => 'nobody'],
        events: () => [],
      },
    },
  })
  expect(decide(command, documents)).toEqual({ rejected: 'not ada' })
})
