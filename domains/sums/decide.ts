import type { Command, Decision, Fields, View } from '../domain.ts'
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
