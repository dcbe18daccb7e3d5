import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Caller, CommandType, Fields, Route } from '#domains/domain.ts'
import { mistakesIn } from './mistakes.ts'
import { QUERIES } from './query-shapes.ts'

type Members = { [name: string]: unknown }

const data = z.strictObject({ text: z.string(), author: z.string() })
const route: Route = { method: 'POST', path: '/api/notes', body: 'json' }
const write: CommandType = { data, stream: ({ author }) => `author/${author}`, routes: [route] }
const collection = { name: 'notes', indexes: { author: { fields: ['author', 'time'] }, time: { fields: ['time'] } } }
const page = { answers: 'page', path: '/api/notes', index: 'time', shape: () => ({}) }
const notes = {
  kind: 'append',
  name: 'notes',
  topic: { name: 'notes', partitions: 3 },
  commands: { 'notes.write': write },
  documents: { collection, document: () => ({}) },
  queries: [page],
}
const orders = {
  kind: 'decide',
  name: 'orders',
  topic: { name: 'orders', partitions: 3 },
  ordering: 'ordered',
  commands: {},
  collections: [
    {
      name: 'orders',
      indexes: { customer: { fields: ['customer', 'placedAt'] }, words: { fields: ['words'], each: 'words' } },
    },
    { name: 'products', indexes: {} },
  ],
  touches: () => [],
  decide: () => ({ events: [] }),
  project: () => [],
  queries: [] as unknown[],
}

/** The totals of orders, as `decideDomain` makes them. */
const TOTALS = {
  collection: { name: 'totals', indexes: {} },
  zero: { orders: 0 },
  isSlotted: true,
  keys: () => [''],
  fold: () => ({}),
}
const SUMS = { ...TOTALS, collection: { name: 'sums', indexes: {} } }

const inNotes = (change: Members) => mistakesIn({ notes: { ...notes, ...change } })
const inOrders = (change: Members) => mistakesIn({ orders: { ...orders, ...change } })
const inTopic = (topic: Members) => inNotes({ topic: { ...notes.topic, ...topic } })
const inCollection = (change: Members) =>
  inNotes({ queries: [], documents: { ...notes.documents, collection: { ...collection, ...change } } })
const inIndex = (index: Members) => inCollection({ indexes: { author: index } })
const inCommand = (change: Members) => inNotes({ commands: { 'notes.write': { ...write, ...change } } })
const inRoute = (change: Members) => inCommand({ routes: [{ ...route, ...change }] })
/** A query with the members of a page that its kind has too. */
function queryOf({ answers = 'page', ...change }: Members, base: Members = page) {
  const known = QUERIES[String(answers)] ?? base
  return { ...Object.fromEntries(Object.entries(base).filter(([name]) => name in known)), answers, ...change }
}
const inQuery = (change: Members) => inNotes({ queries: [queryOf(change)] })
const inOrdersQuery = (change: Members) =>
  inOrders({ queries: [queryOf(change, { ...page, path: '/api/orders', from: 'orders', index: 'customer' })] })

const COMMAND = 'domain notes, command notes.write'
const ROUTE = `${COMMAND}, POST /api/notes`
const QUERY = 'domain notes, query GET /api/notes'
const ORDERS = 'domain orders, query GET /api/orders'
const TOTAL = { answers: 'total', path: '/api/orders', total: () => '0' }

test('domains without mistakes have none', () => {
  expect(mistakesIn({ notes, orders })).toEqual([])
})

/** A new domain may have the name of an example, so each folder is checked by itself. */
test.each(['domains', 'examples'])('the folders in %s have none', async (root) => {
  const files = readdirSync(root)
    .map((name) => resolve(root, name, 'domain.ts'))
    .filter((file) => existsSync(file))
  expect(files.length).toBeGreaterThan(2)
  const found = files.map(async (file) => [file, (await import(file)).default] as const)
  expect(mistakesIn(Object.fromEntries(await Promise.all(found)))).toEqual([])
})

test('all mistakes of all domains are reported at once', () => {
  const wrong = { ...notes, topic: { name: 'a b', partitions: 0 }, queries: [{ ...page, index: 'tme' }] }
  expect(
    mistakesIn({ empty: undefined, notes: wrong, orders: { ...orders, decide: undefined, name: 'or.ders' } }),
  ).toHaveLength(6)
})

test.each<[() => string[], string]>([
  [
    () => mistakesIn({ notes: undefined }),
    'domains/notes/domain.ts: The default export is missing. It must be the domain.',
  ],
  [
    () => inNotes({ name: undefined }),
    'domains/notes/domain.ts: name is missing. It must be a text that is not empty.',
  ],
  [() => inNotes({ kind: 'apend' }), 'domain notes: kind must be one of "append", "decide".'],
  [() => inNotes({ queries: {} }), 'domain notes: queries must be a list.'],
  [() => inNotes({ role: { member: [] } }), 'domain notes: "role" is unknown. Did you mean "roles"?'],
  [
    () => inNotes({ roles: { member: 'notes:read' } }),
    'domain notes: roles must be an object with a list of scopes for each role.',
  ],
  [
    () => inNotes({ documents: { collection } }),
    'domain notes, documents: document is missing. It must be a function (command) => document.',
  ],
  [
    () => inOrders({ decide: undefined }),
    'domain orders: decide is missing. It must be a function (command, documents) => decision.',
  ],
  [() => inOrders({ project: {} }), 'domain orders: project must be a function (event, documents) => changes.'],
  [
    () => inOrders({ touches: undefined, touchs: () => [] }),
    'domain orders: "touchs" is unknown. Did you mean "touches"?',
  ],
  [() => inOrders({ ordering: 'order' }), 'domain orders: ordering must be one of "ordered", "unordered".'],
  [
    () => inOrders({ views: [{ ...TOTALS, fold: undefined }] }),
    'domain orders, view totals: fold is missing. It must be a function (document, event, key) => document.',
  ],
  [() => inCommand({ scop: 'notes:write' }), `${COMMAND}: "scop" is unknown. Did you mean "scope"?`],
  [() => inCommand({ data: {} }), `${COMMAND}: data must be a schema of zod.`],
  [
    () => inRoute({ method: 'GET' }),
    `${COMMAND}, GET /api/notes: method must be one of "POST", "PUT", "PATCH", "DELETE".`,
  ],
  [() => inQuery({ answers: 'pages' }), `${QUERY}: answers "pages" is not a kind of query. Did you mean "page"?`],
  [() => inQuery({ params: z.record(z.string(), z.string()) }), `${QUERY}: params must be a z.object.`],
  [() => inQuery({ shape: undefined }), `${QUERY}: shape is missing. It must be a function (document, asked) => item.`],
  [
    () => inNotes({ queries: [null] }),
    'domain notes, query 1: answers "undefined" is not a kind of query. Write one of "page", "one", "composed", "all", "history", "live", "count", "total", "fault".',
  ],
])('a wrong form: %#. %s', (mistakes, sentence) => {
  expect(mistakes()).toEqual([sentence])
})

const TOPIC = (name: string) =>
  `domain notes, topic ${name}: The name of a topic must be 1 to 249 letters, digits, ".", "_" and "-", other than "." and "..".`
const NAME = (name: string) =>
  `domain notes, collection ${name}: The name of a collection must be 1 to 190 letters, digits, "_", "-" and ".". It begins with a letter or "_" but not with "system.", and does not end with ".".`
const FIELD = (field: string) =>
  `domain notes, collection notes, index author: The name of the field "${field}" must be letters, digits and "_", and begin with a letter or "_".`
const LONG = 'a'.repeat(250)

test.each<[() => string[], string]>([
  [
    () => inNotes({ name: 'my.notes' }),
    'domain my.notes: The name of a domain must be 1 to 100 letters, digits, "_" and "-".',
  ],
  [() => inTopic({ name: 'a b' }), TOPIC('a b')],
  [() => inTopic({ name: '..' }), TOPIC('..')],
  [() => inTopic({ name: LONG }), TOPIC(LONG)],
  ...[0, -1, 1.5, '3'].map((partitions): [() => string[], string] => [
    () => inTopic({ partitions }),
    'domain notes, topic notes: partitions must be a positive integer.',
  ]),
  [
    () => inTopic({ plain: 'notes.wrte' }),
    'domain notes, topic notes: plain "notes.wrte" is not a command of the domain. Did you mean "notes.write"?',
  ],
  ...['$notes', 'system.notes', 'a b', 'notes.', '', LONG].map((name): [() => string[], string] => [
    () => inCollection({ name }),
    name === '' ? 'domain notes, collection : name must be a text that is not empty.' : NAME(name),
  ]),
  [
    () => inCollection({ indexes: { expiry: { fields: ['time'] } } }),
    'domain notes, collection notes, index expiry: The name of an index must be 1 to 60 letters, digits, "_" and "-", other than "expiry" and "_id_".',
  ],
  [
    () => inIndex({ fields: ['a', 'b', 'a'] }),
    'domain notes, collection notes, index author: Field "a" is listed twice. List it once.',
  ],
  [() => inIndex({ fields: ["it's"] }), FIELD("it's")],
  [
    () => inIndex({ fields: ['time', '_id'] }),
    'domain notes, collection notes, index author: _id is always the last field of an index. Do not list it.',
  ],
  [
    () => inIndex({ fields: ['words'], each: 'word' }),
    'domain notes, collection notes, index author: each "word" is not one of its fields. Did you mean "words"?',
  ],
  [
    () => inIndex({ fields: 'author' }),
    'domain notes, collection notes, index author: fields must be a list of texts.',
  ],
  [
    () => inNotes({ documents: { ...notes.documents, retentionDays: 0 } }),
    'domain notes, documents: retentionDays must be a positive number of at most 24855 days.',
  ],
  [
    () => inNotes({ roles: { member: ['notes read'] } }),
    'domain notes: The scope "notes read" must be printable ASCII without blanks, commas, quotes and backslashes, other than "none".',
  ],
])('a name or a number that a store or the log does not take: %#. %s', (mistakes, sentence) => {
  expect(mistakes()).toEqual([sentence])
})

const PATH =
  'The path must begin with "/" and have its parameters as {name}. It cannot have ":", "*", "?", "#", parentheses and blanks, and only "/", "-" and "." follow a parameter.'

test.each<[() => string[], string]>([
  [
    () => inNotes({ commands: { 'notes write': write } }),
    'domain notes, command notes write: The type must be 1 to 256 printable ASCII characters without blanks, and no type of Millrace itself.',
  ],
  [
    () => inCommand({ id: () => 'a' }),
    `${COMMAND}: The sender chooses the id of this command, so it must have a scope.`,
  ],
  ...['api/notes', '/api/:id', '/api/{id', '/api/{author}s', '/api/{author}@x', '/a b'].map(
    (path): [() => string[], string] => [() => inRoute({ path }), `${COMMAND}, POST ${path}: ${PATH}`],
  ),
  [
    () => inRoute({ path: '/api/{author}/{author}' }),
    `${COMMAND}, POST /api/{author}/{author}: {author} is twice in the path. Give each parameter its own name.`,
  ],
  [
    () => inRoute({ path: '/api/{auther}' }),
    `${COMMAND}, POST /api/{auther}: {auther} is not a member of the command's data. Did you mean "author"?`,
  ],
  [
    () => inRoute({ path: '/api/{note}' }),
    `${COMMAND}, POST /api/{note}: {note} is not a member of the command's data. Write one of "text", "author".`,
  ],
  [
    () => inRoute({ created: '/api/notes/{noteId}' }),
    `${ROUTE}: created has {noteId}, which is not a member of the command's data. Write one of "id", "text", "author".`,
  ],
  [
    () => inRoute({ path: '/api/{author}', maxBytes: 9 }),
    `${COMMAND}, POST /api/{author}: maxBytes has no effect on a path with parameters. Move the parameters to the body.`,
  ],
  [
    () => inCommand({ calls: [{ method: 'Write', read: () => ({}), answer: () => ({}) }] }),
    `${COMMAND}, method Write: Write the service, "/" and the method, such as "NoteService/Write".`,
  ],
])('a mistake in a command: %#. %s', (mistakes, sentence) => {
  expect(mistakes()).toEqual([sentence])
})

/** A decide domain with one command, whose route makes something. */
function inAuctions(command: Members, route: Members = {}) {
  const open = {
    data: z.strictObject({ id: z.string() }),
    stream: () => 'auction',
    routes: [{ method: 'POST', path: '/api/auctions', body: 'json', created: '/api/auctions/{id}', ...route }],
    ...command,
  }
  return inOrders({ commands: { 'auctions.open': open } })
}
const auctionId = z.strictObject({ auctionId: z.string() })
const OTHER_ID =
  '{id} in created is the command\'s id, and not the member "id" of its data. Give the member another name, and write that name in created.'

test('an {id} in created that reads as the member id of the data is a mistake', () => {
  const place = 'domain orders, command auctions.open'
  expect(inAuctions({})).toEqual([`${place}, POST /api/auctions: ${OTHER_ID}`])
  const data = z.strictObject({ id: z.string() }).transform((all): Fields => all)
  expect(inAuctions({ data }, { path: '/api/auctions/{id}' })).toEqual([
    `${place}, POST /api/auctions/{id}: ${OTHER_ID}`,
  ])
})

test("an {id} in created is no mistake if it can only be the command's id", () => {
  expect(inAuctions({ data: auctionId }, { created: '/api/auctions/{auctionId}' })).toEqual([])
  expect(inAuctions({ data: auctionId })).toEqual([])
  expect(inAuctions({}, { created: undefined })).toEqual([])
  expect(inAuctions({ id: ({ id }: Fields) => id, scope: 'auctions:open' })).toEqual([])
  const ownId = { data: z.strictObject({ id: z.string() }), stream: () => 'note' }
  expect(inCommand({ ...ownId, routes: [{ ...route, created: '/api/notes/{id}' }] })).toEqual([])
})

const auction = z.object({ state: z.string(), openedAt: z.string(), bidders: z.array(z.string()) })

/** A decide domain whose collection has this schema and this index. */
const inSchema = (schema: unknown, index: Members) => {
  const indexes = { state: { fields: [], ...index } }
  const contract = { collections: { auctions: { schema, indexes } } }
  return inOrders({ collections: [{ name: 'auctions', indexes }], contract })
}

test('a field of an index that is not in the schema is a mistake, in a collection and in a view', () => {
  const sentence =
    'domain orders, collection auctions, index state: Field "opendAt" is not in the schema. Did you mean "openedAt"?'
  const fields = ['state', 'opendAt']
  expect(inSchema(auction, { fields })).toEqual([sentence])
  const view = { ...TOTALS, collection: { name: 'auctions', indexes: { state: { fields } } } }
  expect(inOrders({ views: [view], contract: { collections: { auctions: { schema: auction } } } })).toEqual([sentence])
  expect(inSchema(auction, { fields: ['bider'], each: 'bider' })).toEqual([
    'domain orders, collection auctions, index state: Field "bider" is not in the schema. Write one of "state", "openedAt", "bidders".',
  ])
})

test('the fields of an index are not checked against a schema whose members cannot be known', () => {
  expect(inSchema(auction, { fields: ['state', 'bidders'], each: 'bidders' })).toEqual([])
  for (const schema of [undefined, {}, z.looseObject({ state: z.string() }), z.record(z.string(), z.string())])
    expect(inSchema(schema, { fields: ['state', 'opendAt'] })).toEqual([])
})

test.each([
  ['a transform', z.object({ a: z.string() }).transform((all): Fields => all), 'out'],
  ['a preprocess', z.preprocess((all) => all, z.object({ a: z.string() })), 'in'],
  ['a loose object', z.looseObject({ a: z.string() }), 'both'],
  ['a record', z.record(z.string(), z.string()), 'both'],
  ['a union with a record', z.union([z.object({ a: z.string() }), z.record(z.string(), z.string())]), 'both'],
])('nothing is reported about members that cannot be known: %s', (_, data, side) => {
  if (side !== 'out') expect(inCommand({ data, routes: [{ ...route, path: '/api/{b}' }] })).toEqual([])
  if (side !== 'in') expect(inCommand({ data, routes: [{ ...route, created: '/api/{b}' }] })).toEqual([])
})

test.each([
  ['a refinement', z.object({ a: z.string() }).refine(() => true)],
  ['a transform', z.object({ a: z.string() }).transform((all) => all)],
  ['a union', z.union([z.object({ a: z.string() }), z.object({ c: z.string() })])],
  ['an intersection', z.intersection(z.object({ a: z.string() }), z.object({ c: z.string() }))],
  ['a default', z.object({ a: z.string() }).default({ a: '' })],
])('the members of other schemas are known: %s', (_, data) => {
  expect(inCommand({ data, routes: [{ ...route, path: '/api/{b}' }] })).toHaveLength(1)
  expect(inCommand({ data, routes: [{ ...route, path: '/api/{a}' }] })).toEqual([])
})

const oneIndex = (all: Members) => ({ ...notes.documents, collection: { ...collection, indexes: { all } } })
const customers = z.object({ customer: z.string().optional(), order: z.enum(['old', 'new']).default('old') })

test.each<[() => string[], string]>([
  [
    () => inOrdersQuery({ index: 'custmer' }),
    `${ORDERS}: index "custmer" is not declared in collection "orders". Did you mean "customer"?`,
  ],
  [
    () => inOrdersQuery({ index: 'time' }),
    `${ORDERS}: index "time" is not declared in collection "orders". Write one of "customer", "words".`,
  ],
  [
    () => inOrdersQuery({ params: customers, index: ({ order }: Fields) => (order === 'new' ? 'newest' : 'customer') }),
    `${ORDERS}: index "newest" is not declared in collection "orders". Write one of "customer", "words".`,
  ],
  [
    () => inOrdersQuery({ from: 'ordrs' }),
    `${ORDERS}: from "ordrs" is not a collection of the domain. Did you mean "orders"?`,
  ],
  [
    () => inOrdersQuery({ from: () => 'ordrs' }),
    `${ORDERS}: from returns "ordrs", which is not a collection of the domain. Did you mean "orders"?`,
  ],
  [
    () => inOrdersQuery({ from: undefined }),
    `${ORDERS}: The domain has several collections. Name one of "orders", "products" as from.`,
  ],
  [
    () => inOrders({ collections: [], queries: [{ ...page, path: '/api/orders' }] }),
    `${ORDERS}: The domain has no collection to read. Declare one in collections.`,
  ],
  [
    () => inOrdersQuery({ where: () => ({ placedAt: '' }) }),
    `${ORDERS}: where gives "placedAt", which is not the first field of index "customer". Its fields are "customer", "placedAt".`,
  ],
  [
    () => inOrdersQuery({ index: 'words', where: () => ({ word: '' }) }),
    `${ORDERS}: where gives "word", which is not the first field of index "words". Its field is "words".`,
  ],
  [
    () => inNotes({ queries: [{ ...page, index: 'tmie' }], documents: oneIndex({ fields: [] }) }),
    `${QUERY}: index "tmie" is not declared in collection "notes". Write "all".`,
  ],
  [
    () =>
      inNotes({ queries: [{ ...page, index: 'all', where: () => ({ a: 1 }) }], documents: oneIndex({ fields: [] }) }),
    `${QUERY}: where gives "a", which is not the first field of index "all". It has no fields.`,
  ],
  [
    () =>
      inOrdersQuery({ params: customers, where: ({ customer }: Fields) => (customer ? { customer, paid: true } : {}) }),
    `${ORDERS}: where gives "customer", "paid", which are not the first fields of index "customer". Its fields are "customer", "placedAt".`,
  ],
  [
    () => inOrdersQuery({ where: () => [{ customer: '' }, {}] }),
    `${ORDERS}: where returns filters of different fields. Give each filter the same fields.`,
  ],
  [
    () => inOrdersQuery({ index: 'words' }),
    `${ORDERS}: index "words" finds by an item of "words". Give a value for it in where.`,
  ],
  [
    () => inOrdersQuery({ answers: 'composed', touches: () => [{ collection: 'ordrs', ids: [] }], answer: () => ({}) }),
    `${ORDERS}: touches names "ordrs", which is not a collection of the domain. Did you mean "orders"?`,
  ],
  [
    () => inOrdersQuery({ parent: { touches: () => [{ collection: 'product', ids: [] }], exists: () => true } }),
    `${ORDERS}: parent names "product", which is not a collection of the domain. Did you mean "products"?`,
  ],
  [
    () => inOrdersQuery({ answers: 'live', of: { collection: 'order' }, keep: () => true }),
    `${ORDERS}: of "order" is not a collection of the domain. Did you mean "orders"?`,
  ],
  [
    () => inOrdersQuery({ answers: 'one' }),
    `${ORDERS}: A query that answers "one" finds a document by {id}. Write {id} in its path.`,
  ],
  [
    () => inOrdersQuery({ answers: 'total', total: () => '0' }),
    `${ORDERS}: A query that answers "total" reads a view with slots: true. Declare one in views of a decide domain.`,
  ],
  [
    () => inOrders({ views: [TOTALS, SUMS], queries: [TOTAL] }),
    `${ORDERS}: The domain has several views with slots: true. Name one of "totals", "sums" as from.`,
  ],
  [
    () => inOrders({ views: [TOTALS], queries: [{ ...TOTAL, from: 'total' }] }),
    `${ORDERS}: from "total" is not a view with slots: true. Did you mean "totals"?`,
  ],
  [
    () => inOrders({ views: [TOTALS], queries: [{ ...page, path: '/api/orders', from: 'totals' }] }),
    `${ORDERS}: from "totals" is not a collection of the domain. Write one of "orders", "products".`,
  ],
  [
    () => inQuery({ answers: 'history', stream: () => 'a' }),
    `${QUERY}: An append domain has no events, so it has no history. Answer a "page" of its documents.`,
  ],
  [
    () => inQuery({ answers: 'live', of: 'events', keep: () => true }),
    `${QUERY}: An append domain has no events. Write of: { collection: "notes" }.`,
  ],
  [
    () => inQuery({ path: '/api/{authorID}', params: z.object({ authorId: z.string() }) }),
    'domain notes, query GET /api/{authorID}: {authorID} is not a member of params. Did you mean "authorId"?',
  ],
  [
    () => inQuery({ params: z.object({ limit: z.string().optional() }) }),
    `${QUERY}: Millrace reads the parameter "limit" itself. Give the member of params another name.`,
  ],
  [() => inQuery({ overview: {} }), `${QUERY}: overview must name its part.`],
  [
    () => inQuery({ answers: 'all', overview: { part: 'notes' } }),
    `${QUERY}: A query that answers "all" is a stream, and cannot be part of the overview. Remove overview.`,
  ],
  [
    () => inQuery({ answers: 'one', path: '/api/{id}', overview: { part: 'notes' } }),
    'domain notes, query GET /api/{id}: The overview cannot give a query that answers "one" its {id}. Answer "composed" instead.',
  ],
])('a mistake in a query: %#. %s', (mistakes, sentence) => {
  expect(mistakes()).toEqual([sentence])
})

test('an index that only some callers choose must be declared', () => {
  const index = (_: Fields, { scopes }: Caller) => (scopes.has('orders:manage') ? 'nothing' : 'customer')
  expect(inOrdersQuery({ index })).toEqual([expect.stringContaining('index "nothing" is not declared')])
})

test('a query whose functions throw for a sample, or whose parameters no sample passes, starts', () => {
  const thrower = () => {
    throw new Error('a sample')
  }
  expect(inOrdersQuery({ index: thrower, where: thrower })).toEqual([])
  const late = z.object({ a: z.string().refine(async () => true) })
  const thrown = z.object({ a: z.string().transform(thrower) })
  for (const params of [late, thrown]) expect(inOrdersQuery({ params, index: () => 'none' })).toEqual([])
  const never = z.object({ sku: z.string().regex(/^SKU-\d{9}$/) })
  expect(
    inOrdersQuery({ params: never, index: ({ sku }: Fields) => (String(sku).startsWith('SKU') ? 'customer' : '') }),
  ).toEqual([])
})

test('the parameters of an order by name count as given, but not together with the parameters that it sets', () => {
  const params = z.object({ order: z.enum(['old']).optional() })
  const index = ({ order }: Fields) => (order === 'old' ? 'customer' : order === 'words' ? 'wrds' : 'customer')
  const numbered = { sorts: { word: { order: 'words' } } }
  expect(inOrdersQuery({ params, index })).toEqual([])
  expect(inOrdersQuery({ params, index, numbered })).toEqual([
    `${ORDERS}: index "wrds" is not declared in collection "orders". Did you mean "words"?`,
  ])
})

test('where may be on a prefix in any order, a path parameter need not be declared, and a suffix may follow it', () => {
  expect(inQuery({ path: '/api/{author}.json' })).toEqual([])
  expect(inQuery({ path: '/api/{from}-{to}/notes' })).toEqual([])
  expect(
    inOrdersQuery({ path: '/api/orders/{customer}', where: ({ customer }: Fields) => ({ placedAt: '', customer }) }),
  ).toEqual([])
})

test.each([
  [{ events: [], rules: ['orders.pya'] }, 'domain orders, rule orders.pya: There is no such command.'],
  [
    { events: ['orders.paid'], projections: ['orders.payd', 'orders.paid'] },
    'domain orders, projection orders.payd: There is no such event. Did you mean "orders.paid"?',
  ],
  [
    { events: ['orders.paid'], projections: [] },
    'domain orders: The event orders.paid has no projection. Add it to projections.',
  ],
  [
    { events: ['orders.paid'], views: { customers: { feeds: ['orders.payd'], unkeyed: [] } } },
    'domain orders, view customers, feed orders.payd: There is no such event. Did you mean "orders.paid"?',
  ],
  [
    { events: ['orders.paid'], views: { customers: { feeds: ['orders.paid'], unkeyed: ['orders.paid'] } } },
    'domain orders, view customers, feed orders.paid: Say by key which document it changes, or write slots: true.',
  ],
  [
    { events: ['orders.paid'], views: { customers: { feeds: ['orders.paid'], unkeyed: [], misfit: 'sum: Required' } } },
    'domain orders, view customers: zero does not fit the schema: sum: Required.',
  ],
  [
    { events: ['orders.paid'], views: { customers: { feeds: [], unkeyed: [] } } },
    'domain orders, view customers: It has no feeds, so it stays empty. Name the events that change it in feeds.',
  ],
])(
  'a rule, a projection or a feed of a type that does not exist, or none for one that does: %j',
  (declared, sentence) => {
    expect(inOrders({ declared })).toEqual([sentence])
  },
)

test('a view with a field that Millrace writes itself is a mistake', () => {
  const view = { ...TOTALS, zero: { generation: 0 } }
  expect(inOrders({ views: [view], declared: { events: [] } })).toEqual([
    'domain orders, view totals: Millrace writes the field "generation" itself. Give the field another name.',
  ])
})

test('a page may read a view without slots', () => {
  const query = { ...page, path: '/api/orders', from: 'customers', index: 'orders' }
  const collection = { name: 'customers', indexes: { orders: { fields: ['orders'] } } }
  expect(inOrders({ views: [{ ...TOTALS, isSlotted: false, collection }], queries: [query] })).toEqual([])
})

test('a scope of another name, which would guard nothing, is a mistake', () => {
  expect(inCommand({ permission: 'notes:write' })).toEqual([
    `${COMMAND}: "permission" is unknown. Write one of "summary", "scope", "organisation", "welcome", "id", "key", "calls".`,
  ])
  expect(inQuery({ permission: 'notes:read' })).toEqual([expect.stringContaining('"permission" is unknown.')])
})
