import { tagged } from '#core/etag.ts'
import { Problem } from '#core/problem.ts'
import type { DocumentReader, Domain } from '#domains/domain.ts'
import type { ComposedQuery } from '#domains/query.ts'
import type { QueryHandler, QueryParts } from './handler.ts'
import { loadTouched } from './load-touched.ts'

/** Answers several documents, each found by its id, as one. */
export const composedHandler =
  ({ store }: QueryParts, domain: Domain, query: ComposedQuery): QueryHandler =>
  async ({ request, params, caller }) => {
    const touches = (_: unknown, documents: DocumentReader) => query.touches(params, caller, documents)
    const [documents] = await loadTouched(store, domain, [params], { member: 'touches', touches })
    const answer = documents && query.answer(documents, params, caller)
    if (answer === undefined) throw new Problem(404, 'Not found', `There is nothing at ${request.path}.`)
    return tagged(request, answer)
  }
