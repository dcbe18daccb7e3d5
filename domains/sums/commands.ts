import { defineCommands } from 'millrace'
import { z } from 'zod'

/** The range of the numbers in sums.proto. */
const INT32 = { min: -(2 ** 31), max: 2 ** 31 - 1 }
const int32 = z.int().min(INT32.min).max(INT32.max)

/** The id of the only import: of its command, its sum and its request. */
const STARTING_TOTAL = 'starting-total'

type Numbers = { firstNumber: number; secondNumber: number }

export const sumOf = ({ firstNumber, secondNumber }: Numbers): number => firstNumber + secondNumber

const isInt32 = (value: number): boolean => value >= INT32.min && value <= INT32.max

/** The starting total as a sum, so that the history adds up to the total. */
export const startingWith = ({ total }: { total: number }): Numbers => ({ firstNumber: total, secondNumber: 0 })

export const commands = defineCommands({
  'sums.add': {
    summary: 'Add two numbers',
    scope: 'sums:write',
    data: z
      .strictObject({
        requestId: z.string().min(1).max(255).optional(),
        firstNumber: int32,
        secondNumber: int32,
      })
      .refine((data) => isInt32(data.firstNumber + data.secondNumber), {
        error: 'the sum does not fit into 32 bits',
        params: { outOfRange: true },
      }),
    stream: (_, id) => `sum/${id}`,
    key: ({ requestId }) => requestId,
    routes: [
      {
        method: 'POST',
        path: '/api/sums',
        body: 'json',
        answer: (data) => ({ result: sumOf(data) }),
        answered: z.object({ result: int32 }),
      },
    ],
    calls: [
      {
        method: 'SumService/AddNumbers',
        read: ({ requestId, ...numbers }) => (requestId === '' ? numbers : { requestId, ...numbers }),
        answer: (data) => ({ result: sumOf(data) }),
      },
    ],
  },
  'sums.import': {
    summary: 'Set the starting total, once',
    scope: 'sums:import',
    data: z.strictObject({ total: z.int() }),
    id: () => STARTING_TOTAL,
    stream: (_, id) => `sum/${id}`,
    routes: [{ method: 'POST', path: '/api/sums/import', body: 'json' }],
  },
})
