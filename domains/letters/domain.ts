import type { AppendDomain, Document, Fields } from '../domain.ts'
import { commands } from './commands.ts'

const shape = ({ _id, _hash, ...fields }: Document): Fields => ({ id: _id, ...fields })

/** What operators do about letters: each redrive and each discard is a document, which also says what came of it. */
export default {
  kind: 'append',
  name: 'letters',
  topic: { name: 'letters', partitions: 3 },
  commands,
  documents: {
    collection: { name: 'redrives', indexes: { time: { fields: ['time'] } } },
    document: ({ type, time, actor, data }) => ({ type, time, actor, asked: data }),
  },
  queries: [
    { answers: 'page', path: '/api/letters/redrives', index: 'time', newestFirst: true, shape },
    { answers: 'one', path: '/api/letters/redrives/{id}', shape },
  ],
} satisfies AppendDomain
