import { Problem } from '#core/problem.ts'
import type { Domain, View } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import type { Answering, Parts } from './answer.ts'
import { viewsOf } from './views.ts'

/** Answers 404 unless the query's parent exists. */
export function under(parts: Parts, domain: Domain, query: Query, answering: Answering): Answering {
  if (!('parent' in query) || !query.parent) return answering
  const { touches, exists } = query.parent
  return async (asking) => {
    const { params, request } = asking
    const [documents] = await viewsOf(parts.store, domain, [params], touches)
    if (!exists(documents as View, params)) {
      throw new Problem(404, 'Not found', `There is nothing at ${request.path}.`)
    }
    return answering(asking)
  }
}
