import { decideDomain } from 'millrace'
import { z } from 'zod'
import { commands, startingWith, sumOf } from './commands.ts'
import { record } from './record.ts'

const sum = z.object({
  requestId: z.string(),
  firstNumber: z.int(),
  secondNumber: z.int(),
  result: z.int(),
  time: z.iso.datetime(),
})

/** Sums of two numbers, and the running total of them all. */
export default decideDomain({
  name: 'sums',
  topic: { name: 'summation', partitions: 3, record, plain: 'sums.add' },
  // Each sum is a stream of its own, so none waits for another.
  ordering: 'unordered',
  roles: { member: ['sums:read', 'sums:write'], administrator: ['sums:import'] },

  commands,
  events: {
    'sums.added': z.object({
      requestId: z.string().optional(),
      firstNumber: z.int(),
      secondNumber: z.int(),
      result: z.int(),
    }),
  },
  collections: { sums: { schema: sum, indexes: { time: { fields: ['time'] } } } },

  touches: ({ id }) => [{ collection: 'sums', ids: [id] }],
  decide(command, documents) {
    const { id, type, data } = command
    if (type === 'sums.add') return { events: [{ type: 'sums.added', data: { ...data, result: sumOf(data) } }] }
    // A repeat must not count, even years later. So it looks for the sum, which does not expire as the receipt does.
    const before = documents.get('sums', id)
    if (before?.result === data.total) return { events: [] }
    if (before) return { rejected: `the starting total is already ${before.result}` }
    const start = startingWith(data)
    return { events: [{ type: 'sums.added', data: { requestId: id, ...start, result: sumOf(start) } }] }
  },
  projections: {
    'sums.added': ({ command, time, data: { requestId = command, ...numbers } }) => [
      { collection: 'sums', document: { _id: command, requestId, ...numbers, time } },
    ],
  },
  // A total is a string of digits, since it may exceed what a number holds exactly.
  views: {
    'sums-total': {
      schema: z.object({ total: z.string(), count: z.int() }),
      slots: true,
      zero: { total: '0', count: 0 },
      feeds: {
        'sums.added': {
          fold: ({ total, count }, { data }) => ({
            total: String(BigInt(total) + BigInt(data.result)),
            count: count + 1,
          }),
        },
      },
    },
  },

  queries: ({ total, page, fault }) => [
    total({
      path: '/api/final',
      scope: 'sums:read',
      name: 'total',
      summary: 'The total of all sums',
      overview: { part: 'sums' },
      total: (slots) => slots.reduce((sum, { total }) => sum + BigInt(total), 0n).toString(),
    }),
    page({
      path: '/api/final/history',
      scope: 'sums:read',
      name: 'history',
      summary: 'Sums by time',
      item: sum,
      index: 'time',
      shape: ({ requestId, firstNumber, secondNumber, result, time }) => ({
        requestId,
        firstNumber,
        secondNumber,
        result,
        time,
      }),
    }),
    fault({ path: '/api/final/error', scope: 'sums:read', summary: 'Always fails, to test alerts' }),
  ],
})
