/** The domain.ts of a new append domain. */
export const appendText = (name: string): string => `import { z } from 'zod'
import { appendDomain } from '#domains/append-domain.ts'

const READ = '${name}:read'
const WRITE = '${name}:write'

const title = z.string().trim().min(1).max(200)
const time = z.iso.datetime()
const item = z.object({ id: z.string(), title, time })

/** Each command becomes one document. */
export default appendDomain({
  name: '${name}',
  topic: { name: '${name}', partitions: 3 },
  roles: { member: [READ, WRITE] },

  commands: {
    '${name}.create': {
      summary: 'Create an entry',
      scope: WRITE,
      data: z.strictObject({ title }),
      // Each entry is a stream of its own, so that entries are written in parallel.
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
  },

  documents: {
    collection: '${name}',
    schema: z.object({ title, time }),
    indexes: { time: { fields: ['time'] } },
    document: ({ data, time }) => ({ ...data, time }),
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
      shape: ({ _id, title, time }) => ({ id: _id, title, time }),
    }),
    one({
      path: '/api/${name}/{id}',
      name: 'one',
      summary: 'An entry',
      scope: READ,
      item,
      shape: ({ _id, title, time }) => ({ id: _id, title, time }),
    }),
  ],
})
`

/** Its unit test. */
export const appendTestText = (name: string): string => `import { expect, test } from 'vitest'
import domain from './domain.ts'

const type = '${name}.create'
const { data } = domain.contract.commands[type]

test('when an entry is created, then it has its title without outer blanks, and its time', () => {
  const time = '2030-01-01T00:00:00.000Z'
  const context = { id: 'one', stream: 'one', actor: 'ada', scopes: [], offset: 0 }
  const entry = domain.documents.document({ ...context, type, time, data: data.parse({ title: ' It turns ' }) })
  expect(entry).toEqual({ title: 'It turns', time })
})

test.each([
  ['no title', {}],
  ['a blank title', { title: ' ' }],
  ['a title of more than 200 characters', { title: 'x'.repeat(201) }],
  ['an unknown member', { title: 'It turns', colour: 'red' }],
])('an entry with %s is invalid', (_, entry) => {
  expect(data.safeParse(entry).success).toBe(false)
})
`
