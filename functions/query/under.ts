import { Problem } from '#core/problem.ts'
import type { Domain, View } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import type { Answering, Parts } from './answer.ts'
import { viewsOf } from './views.ts'

/** Answers only where that is there which the answer hangs on; else it is 404. */
export function under(parts: Parts, domain: Domain, query: Query, answering: Answering): Answering {
  if (!('under' in query) || !query.under) return answering
  const { touches, isThere } = query.under
  return async (asking) => {
    const { params, request } = asking
    const [documents] = await viewsOf(parts.store, domain, [params], touches)
    if (!isThere(documents as View, params)) {
      throw new Problem(404, 'Not found', `There is nothing at ${request.path}.`)
    }
    return answering(asking)
  }
}
