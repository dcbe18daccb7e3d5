import { appendDomain } from 'millrace'
import { z } from 'zod'

const entry = z.strictObject({ name: z.string().trim().min(1).max(60), text: z.string().trim().min(1).max(1000) })
const time = z.iso.datetime()
const item = entry.extend({ id: z.string(), time })

/** A guestbook that everybody may sign. */
export default appendDomain({
  name: 'guestbook',
  topic: { name: 'guestbook', partitions: 3 },
  commands: {
    'guestbook.sign': {
      summary: 'Sign the guestbook',
      data: entry,
      // Each entry is a stream of its own, so that entries are written in parallel.
      stream: (_, id) => `entry/${id}`,
      routes: [{ method: 'POST', path: '/api/guestbook', body: 'json', created: '/api/guestbook/{id}' }],
    },
  },
  documents: {
    collection: 'guestbook',
    schema: entry.extend({ time }),
    indexes: { time: { fields: ['time'] } },
    document: ({ data, time }) => ({ ...data, time }),
  },
  queries: ({ page, one }) => [
    page({
      path: '/api/guestbook',
      name: 'list',
      summary: 'The entries, newest first',
      item,
      index: 'time',
      newestFirst: true,
      shape: ({ _id, name, text, time }) => ({ id: _id, name, text, time }),
    }),
    one({
      path: '/api/guestbook/{id}',
      name: 'one',
      summary: 'An entry',
      item,
      shape: ({ _id, name, text, time }) => ({ id: _id, name, text, time }),
    }),
  ],
})
