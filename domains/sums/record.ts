import { z } from 'zod'
import type { RecordForm } from '../domain.ts'
import { startingWith, sumOf } from './commands.ts'

/** A record as the system that it replaces wrote it. */
const original = z.object({
  requestId: z.string(),
  'First Number': z.int(),
  'Second Number': z.int(),
})

/** The topic keeps the original form, so that old consumers still read it, and an old producer is still read. */
export const record: RecordForm = {
  contentType: 'application/json',
  value: original.extend({ Result: z.int(), produceTimestamp: z.int() }),
  stamped: true,
  encode(data, { id, time }) {
    const { requestId = id, firstNumber = 0, secondNumber = 0 } = 'total' in data ? startingWith(data) : data
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
}
