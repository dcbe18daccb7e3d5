import type { Collection, Document, Event, Fields, Tally, View } from '../domain.ts'

export const collections: Collection[] = [{ name: 'sums', indexes: { time: { fields: ['time'] } } }]

export function project({ command, time, data }: Event, _documents: View) {
  const { requestId = command, firstNumber = 0, secondNumber = 0, result = 0 } = data
  const document: Document = { _id: command, requestId, firstNumber, secondNumber, result, time }
  return [{ collection: 'sums', document }]
}

/** A total is a string of digits, since it may exceed what a number holds exactly. */
export const tally: Tally = {
  collection: { name: 'sums-total', indexes: {} },
  zero: { total: '0', count: 0 },
  add: ({ total, count }, { data }): Fields => ({
    total: String(BigInt(String(total)) + BigInt(Number(data.result))),
    count: Number(count) + 1,
  }),
}

export const totalOf = (slots: Document[]): string =>
  slots.reduce((sum, { total }) => sum + BigInt(String(total)), 0n).toString()
