import { slotIds } from '#core/collections.ts'
import { viewsOf } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'
import type { TotalQuery } from '#domains/query.ts'
import type { QueryHandler, QueryParts } from './handler.ts'

const headers = { 'content-type': 'application/json', 'cache-control': 'no-cache' }

/** Answers a document of a view that is kept in slots, added up from them. */
export function totalHandler({ store }: QueryParts, domain: Domain, query: TotalQuery): QueryHandler {
  const slotted = viewsOf(domain).filter(({ isSlotted }) => isSlotted)
  const [view] = query.from === undefined ? slotted : slotted.filter(({ collection }) => collection.name === query.from)
  if (!view) throw new Error(`${query.path}: domain ${domain.name} has no view in slots ${query.from ?? ''}`)
  return async ({ params, caller }) => {
    const slots = await store.get(view.collection, slotIds(query.key?.(params, caller)))
    return { status: 200, headers, body: query.total([...slots.values()]) }
  }
}
