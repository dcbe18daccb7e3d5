import { tagged } from '#core/etag.ts'
import { Problem } from '#core/problem.ts'
import type { Domain, View } from '#domains/domain.ts'
import type { ViewQuery } from '#domains/query.ts'
import type { Answering, Parts } from './answer.ts'
import { viewsOf } from './views.ts'

/** Documents by their ids, put together. */
export const view =
  ({ store }: Parts, domain: Domain, query: ViewQuery): Answering =>
  async ({ request, params, caller }) => {
    const touches = (_: unknown, documents: View) => query.touches(params, caller, documents)
    const [documents] = await viewsOf(store, domain, [params], touches)
    const answer = documents && query.answer(documents, params, caller)
    if (answer === undefined) throw new Problem(404, 'Not found', `There is nothing at ${request.path}.`)
    return tagged(request, answer)
  }
