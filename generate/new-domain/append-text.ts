/** The domain.ts of a new append domain. */
export const appendText = (name: string): string => `import { appendDomain } from 'millrace'
import { z } from 'zod'

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
export const appendTestText = (name: string): string => `import { given } from 'millrace/testing'
import { test } from 'vitest'
import domain from './domain.ts'

const create = (title: string, id = 'one') => ({
  type: '${name}.create' as const,
  id,
  data: { title },
})

test('when an entry is created, then it has its title without outer blanks, and its time', async () => {
  const time = '2030-01-01T00:00:00.000Z'
  await given(domain)
    .when({ ...create(' It turns '), time })
    .thenExpect({ documents: { ${name}: { one: { title: 'It turns', time } } } })
})

test('a blank title is invalid', async () => {
  const invalid = 'title: Too small: expected string to have >=1 characters'
  await given(domain).when(create(' ')).thenExpect({ invalid })
})

test('the list has the newest entry first', async () => {
  const entries = [create('a', 'one'), create('b', 'two')]
  await given(domain, ...entries).thenQuery('list', {}, { items: [{ id: 'two', title: 'b' }, { id: 'one' }] })
})
`
