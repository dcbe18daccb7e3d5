import { slotIds } from '#core/collections.ts'
import type { Domain } from '#domains/domain.ts'
import type { TotalQuery } from '#domains/query.ts'
import type { Answering, Parts } from './answer.ts'

const headers = { 'content-type': 'application/json', 'cache-control': 'no-cache' }

/** What the slots of a domain's tally come to. */
export function total({ store }: Parts, domain: Domain, query: TotalQuery): Answering {
  const { tally } = domain.kind === 'decide' ? domain : {}
  if (!tally) throw new Error(`${domain.name} has no tally for ${query.path}`)
  return async () => {
    const slots = await store.get(tally.collection, slotIds)
    return { status: 200, headers, body: query.total([...slots.values()]) }
  }
}
