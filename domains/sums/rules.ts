import type { Command, Decision, Document, Event, Fields, Tally, View } from '../domain.ts'
import { startingWith, sumOf } from './commands.ts'

/** Each sum is a stream of its own, so none waits for another. Only a second starting total is rejected. */
export function decide({ id, type, data }: Command, documents: View): Decision {
  if (type === 'sums.import') return setStartingTotal(id, data, documents)
  return { events: [{ type: 'sums.added', data: { ...data, result: sumOf(data) } }] }
}

/** A repeat must not count, even years later. So it looks for the sum, which does not expire as the receipt does. */
function setStartingTotal(id: string, data: Fields, documents: View): Decision {
  const before = documents.get('sums', id)
  if (before?.result === data.total) return { events: [] }
  if (before) return { rejected: `the starting total is already ${before.result}` }
  const sum = startingWith(data)
  return { events: [{ type: 'sums.added', data: { requestId: id, ...sum, result: sumOf(sum) } }] }
}

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
