import { slotIds } from '#core/collections.ts'
import type { Domain } from '#domains/domain.ts'
import type { TotalQuery } from '#domains/query.ts'
import type { QueryHandler, QueryParts } from './handler.ts'

const headers = { 'content-type': 'application/json', 'cache-control': 'no-cache' }

/** Answers the total of a domain's tally, added up from its slots. */
export function totalHandler({ store }: QueryParts, domain: Domain, query: TotalQuery): QueryHandler {
  const { tally } = domain.kind === 'decide' ? domain : {}
  if (!tally) throw new Error(`${query.path}: domain ${domain.name} has no tally`)
  return async () => {
    const slots = await store.get(tally.collection, slotIds)
    return { status: 200, headers, body: query.total([...slots.values()]) }
  }
}
