import { Problem } from '#core/problem.ts'
import type { DocumentReader, Domain } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import type { QueryHandler, QueryParts } from './handler.ts'
import { loadTouched } from './load-touched.ts'

/** Answers 404 unless the query's parent exists. */
export function requireParent(parts: QueryParts, domain: Domain, query: Query, handler: QueryHandler): QueryHandler {
  if (!('parent' in query) || !query.parent) return handler
  const { touches, exists } = query.parent
  return async (queryRequest) => {
    const { params, caller, request } = queryRequest
    const [documents] = await loadTouched(parts.store, domain, [params], {
      member: 'parent.touches',
      touches: () => touches(params, caller),
    })
    if (!exists(documents as DocumentReader, params, caller)) {
      throw new Problem(404, 'Not found', `There is nothing at ${request.path}.`)
    }
    return handler(queryRequest)
  }
}
