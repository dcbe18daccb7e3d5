import type { Command, Decision, Document, Event, Fields, Tally, View } from '../domain.ts'
import { startingWith, sumOf } from './commands.ts'

/** Every sum is a stream of its own, so none waits for another. Nothing is refused but a second total to begin with. */
export function decide({ id, type, data }: Command, documents: View): Decision {
  if (type === 'sums.import') return begin(id, data, documents)
  return { events: [{ type: 'sums.added', data: { ...data, result: sumOf(data) } }] }
}

/** The receipt of a command expires, and its sum does not: a repeat must not count after years either. */
function begin(id: string, data: Fields, documents: View): Decision {
  const before = documents.get('sums', id)
  if (before?.result === data.total) return { events: [] }
  if (before) return { rejected: `the sums begin with ${before.result} already` }
  const sum = startingWith(data)
  return { events: [{ type: 'sums.added', data: { requestId: id, ...sum, result: sumOf(sum) } }] }
}

export function project({ command, time, data }: Event, _documents: View) {
  const { requestId = command, firstNumber = 0, secondNumber = 0, result = 0 } = data
  const document: Document = { _id: command, requestId, firstNumber, secondNumber, result, time }
  return [{ collection: 'sums', document }]
}

/** Totals grow beyond what a number says exactly: they are kept as digits. */
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
