import type { TopicOf } from 'millrace'
import { z } from 'zod'
import { type commands, startingWith, sumOf } from './commands.ts'

/** The record of the system that Millrace replaces. */
const original = z.object({
  requestId: z.string(),
  'First Number': z.int(),
  'Second Number': z.int(),
})

/** The topic keeps that system's form: its consumers can read our records, and we can read those of its producers. */
export const record = {
  contentType: 'application/json',
  value: original.extend({ Result: z.int(), produceTimestamp: z.int() }),
  stamped: true,
  encode(data, { id, time }) {
    const {
      requestId = id,
      firstNumber,
      secondNumber,
    } = 'total' in data ? { requestId: undefined, ...startingWith(data) } : data
    return JSON.stringify({
      requestId,
      'First Number': firstNumber,
      'Second Number': secondNumber,
      Result: sumOf({ firstNumber, secondNumber }),
      produceTimestamp: Date.parse(time),
    })
  },
  decode(value, { type }) {
    const given = original.parse(JSON.parse(value))
    if (type === 'sums.import') return { total: given['First Number'] }
    return {
      requestId: given.requestId,
      firstNumber: given['First Number'],
      secondNumber: given['Second Number'],
    }
  },
} satisfies TopicOf<typeof commands>['record']
