/** The domain.ts of a new decide domain. */
export const decideText = (name: string): string => `import { z } from 'zod'
import { decideDomain } from '#domains/decide-domain.ts'

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
export const decideTestText = (name: string): string => `import { expect, test } from 'vitest'
import { given } from '#test/given.ts'
import domain from './domain.ts'

const create = { type: '${name}.create', id: 'one', data: { title: 'It turns' }, actor: 'ada' }
const close = { type: '${name}.close', data: { id: 'one' }, actor: 'ada' }

test('when an entry is created, then it is open and belongs to its creator', async () => {
  const { events, document } = await given(domain).when(create)
  expect(events).toEqual([{ type: '${name}.created', data: { title: 'It turns' } }])
  expect(document('${name}', 'one')).toMatchObject({ by: 'ada', isClosed: false })
})

test('given an entry, when its creator closes it, then it is closed', async () => {
  const { events, document } = await given(domain, create).when(close)
  expect(events).toEqual([{ type: '${name}.closed', data: {} }])
  expect(document('${name}', 'one')).toMatchObject({ title: 'It turns', isClosed: true })
})

test.each([
  ['creating an entry again', [create], create, 'the entry exists already'],
  ['closing nothing', [], close, 'there is no such entry'],
  ['closing the entry of another', [create], { ...close, actor: 'bob' }, 'only its creator may close an entry'],
  ['closing a closed entry', [create, close], close, 'the entry is closed already'],
])('%s is rejected', async (_, history, command, reason) => {
  expect((await given(domain, ...history).when(command)).rejected).toBe(reason)
})
`
