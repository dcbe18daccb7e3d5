import type { Command, Decision, Document, Event, Fields, Tally, View } from '../domain.ts'
import { sumOf } from './commands.ts'

/** Every sum is a stream of its own, so none waits for another, and nothing is ever refused. */
export function decide({ data }: Command): Decision {
  return { events: [{ type: 'sums.added', data: { ...data, result: sumOf(data) } }] }
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
