import { z } from 'zod'
import type { AppendDomain, CommandType, Document, Documents } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'

const entry = z.strictObject({ name: z.string().trim().min(1).max(60), text: z.string().trim().min(1).max(1000) })

const commands = {
  'guestbook.sign': {
    summary: 'Sign the guestbook',
    data: entry,
    // Each entry is a stream of its own, so that entries are written in parallel.
    stream: (_, id) => `entry/${id}`,
    routes: [{ method: 'POST', path: '/api/guestbook', body: 'json', created: '/api/guestbook/{id}' }],
  },
} satisfies { [type: string]: CommandType }

const documents: Documents = {
  collection: { name: 'guestbook', indexes: { time: { fields: ['time'] } } },
  document: ({ data, time }) => ({ ...data, time }),
}

const item = entry.extend({ id: z.string(), time: z.iso.datetime() })

const shape = ({ _id, name = '', text = '', time = '' }: Document) => ({ id: _id, name, text, time })

const queries = [
  {
    answers: 'page',
    path: '/api/guestbook',
    name: 'list',
    summary: 'The entries, newest first',
    item,
    index: 'time',
    newestFirst: true,
    shape,
  },
  { answers: 'one', path: '/api/guestbook/{id}', name: 'one', summary: 'An entry', item, shape },
] as const satisfies readonly Query[]

/** A guestbook that everybody may sign. */
export default {
  kind: 'append',
  name: 'guestbook',
  topic: { name: 'guestbook', partitions: 3 },
  commands,
  documents,
  queries,
} satisfies AppendDomain
