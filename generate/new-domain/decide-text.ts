/** The domain.ts of a new decide domain. */
export const decideText = (name: string): string => `import { decideDomain } from 'millrace'
import { z } from 'zod'

const READ = '${name}:read'
const WRITE = '${name}:write'

const title = z.string().trim().min(1).max(200)
const entry = z.object({ title, by: z.string(), isClosed: z.boolean(), time: z.iso.datetime() })
const item = entry.extend({ id: z.string() })

/** Entries that only their creators close. The stream of a command is the id of its entry. */
export default decideDomain({
  name: '${name}',
  topic: { name: '${name}', partitions: 3 },
  // The commands of one entry do not commute: it is created before it is closed.
  ordering: 'ordered',
  roles: { member: [READ, WRITE] },

  commands: {
    '${name}.create': {
      summary: 'Create an entry',
      scope: WRITE,
      data: z.strictObject({ title }),
      stream: (_, id) => id,
      routes: [
        {
          method: 'POST',
          path: '/api/${name}',
          body: 'json',
          created: '/api/${name}/{id}',
        },
      ],
    },
    '${name}.close': {
      summary: 'Close an entry of your own',
      scope: WRITE,
      data: z.strictObject({ id: z.string() }),
      stream: ({ id }) => id,
      routes: [{ method: 'POST', path: '/api/${name}/{id}/close', body: 'none' }],
    },
  },
  events: {
    '${name}.created': z.object({ title }),
    '${name}.closed': z.object({}),
  },
  collections: {
    ${name}: { schema: entry, indexes: { time: { fields: ['time'] } } },
  },

  touches: ({ stream }) => [{ collection: '${name}', ids: [stream] }],
  context: ({ stream }, documents) => documents.get('${name}', stream),
  rules: {
    '${name}.create': {
      // The id comes back if a client uses its idempotency key again after the horizon.
      unless: [(_, entry) => entry !== undefined && 'the entry exists already'],
      events: ({ data }) => [{ type: '${name}.created', data }],
    },
    '${name}.close': {
      unless: [
        (_, entry) => !entry && 'there is no such entry',
        ({ actor }, entry) => entry?.by !== actor && 'only its creator may close an entry',
        (_, entry) => entry?.isClosed === true && 'the entry is closed already',
      ],
      events: () => [{ type: '${name}.closed', data: {} }],
    },
  },
  projections: {
    '${name}.created': ({ stream, data, actor, time }) => [
      {
        collection: '${name}',
        document: { _id: stream, ...data, by: actor, isClosed: false, time },
      },
    ],
    '${name}.closed': ({ stream }, documents) => {
      const entry = documents.get('${name}', stream)
      if (!entry) throw new Error(\`there is no entry \${stream} to close\`)
      return [{ collection: '${name}', document: { ...entry, isClosed: true } }]
    },
  },

  queries: ({ page, one }) => [
    page({
      path: '/api/${name}',
      name: 'list',
      summary: 'The entries, newest first',
      scope: READ,
      item,
      index: 'time',
      newestFirst: true,
      shape: ({ _id, ...entry }) => ({ id: _id, ...entry }),
    }),
    one({
      path: '/api/${name}/{id}',
      name: 'one',
      summary: 'An entry',
      scope: READ,
      item,
      shape: ({ _id, ...entry }) => ({ id: _id, ...entry }),
    }),
  ],
})
`

/** Its unit test. */
export const decideTestText = (name: string): string => `import { given } from 'millrace/testing'
import { test } from 'vitest'
import domain from './domain.ts'

const create = {
  type: '${name}.create',
  id: 'one',
  data: { title: 'It turns' },
  actor: 'ada',
} as const
const close = { type: '${name}.close', data: { id: 'one' }, actor: 'ada' } as const

test('when an entry is created, then it is open and belongs to its creator', async () => {
  await given(domain)
    .when(create)
    .thenExpect({
      events: [{ type: '${name}.created', data: { title: 'It turns' } }],
      documents: { ${name}: { one: { by: 'ada', isClosed: false } } },
    })
})

test('given an entry, when its creator closes it, then it is closed', async () => {
  await given(domain, create)
    .when(close)
    .thenExpect({
      events: [{ type: '${name}.closed', data: {} }],
      documents: { ${name}: { one: { title: 'It turns', isClosed: true } } },
    })
})

test('an entry that exists is not created again', async () => {
  await given(domain, create).when(create).thenExpect({ rejected: 'the entry exists already' })
})

test('nothing is closed that is not there', async () => {
  await given(domain).when(close).thenExpect({ rejected: 'there is no such entry' })
})

test('nobody else closes an entry', async () => {
  const byBob = { ...close, actor: 'bob' }
  await given(domain, create).when(byBob).thenExpect({ rejected: 'only its creator may close an entry' })
})

test('a closed entry is not closed again', async () => {
  await given(domain, create, close).when(close).thenExpect({ rejected: 'the entry is closed already' })
})

test('the list has the newest entry first', async () => {
  const second = { ...create, id: 'two' }
  await given(domain, create, second).thenQuery('list', {}, { items: [{ id: 'two' }, { id: 'one' }] })
})
`
