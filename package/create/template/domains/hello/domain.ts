import { appendDomain } from 'millrace'
import { z } from 'zod'

const name = z.string().trim().min(1).max(60)
const time = z.iso.datetime()
const item = z.object({ id: z.string(), name, time })

/** Everybody who said hello. Each command becomes one document. */
export default appendDomain({
  name: 'hello',
  topic: { name: 'hello', partitions: 3 },

  commands: {
    'hello.say': {
      summary: 'Say hello',
      data: z.strictObject({ name }),
      // Each greeting is a stream of its own, so that greetings are written in parallel.
      stream: (_, id) => id,
      routes: [{ method: 'POST', path: '/api/hello', body: 'json', created: '/api/hello/{id}' }],
    },
  },

  documents: {
    collection: 'hello',
    schema: z.object({ name, time }),
    indexes: { time: { fields: ['time'] } },
    document: ({ data, time }) => ({ ...data, time }),
  },

  queries: ({ page, one }) => [
    page({
      path: '/api/hello',
      name: 'list',
      summary: 'Everybody who said hello, the last one first',
      item,
      index: 'time',
      newestFirst: true,
      shape: ({ _id, name, time }) => ({ id: _id, name, time }),
    }),
    one({
      path: '/api/hello/{id}',
      name: 'one',
      summary: 'A greeting',
      item,
      shape: ({ _id, name, time }) => ({ id: _id, name, time }),
    }),
  ],
})
