import { tagged } from '#core/etag.ts'
import { Problem } from '#core/problem.ts'
import type { Domain, View } from '#domains/domain.ts'
import type { ViewQuery } from '#domains/query.ts'
import type { QueryHandler, QueryParts } from './handler.ts'
import { loadViews } from './load-views.ts'

/** Answers several documents, each found by its id, as one. */
export const viewHandler =
  ({ store }: QueryParts, domain: Domain, query: ViewQuery): QueryHandler =>
  async ({ request, params, caller }) => {
    const touches = (_: unknown, documents: View) => query.touches(params, caller, documents)
    const [documents] = await loadViews(store, domain, [params], touches)
    const answer = documents && query.answer(documents, params, caller)
    if (answer === undefined) throw new Problem(404, 'Not found', `There is nothing at ${request.path}.`)
    return tagged(request, answer)
  }
