import { z } from 'zod'
import type { RecordForm } from '../domain.ts'
import { sumOf } from './commands.ts'

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
  encode: (data, { id, time }) =>
    JSON.stringify({
      requestId: data.requestId ?? id,
      'First Number': data.firstNumber,
      'Second Number': data.secondNumber,
      Result: sumOf(data),
      produceTimestamp: Date.parse(time),
    }),
  decode(value) {
    const given = original.parse(JSON.parse(value))
    return {
      requestId: given.requestId,
      firstNumber: given['First Number'],
      secondNumber: given['Second Number'],
    }
  },
}
