import { Problem } from '#adapters/host/http.ts'
import type { Domain, View } from '#domains/domain.ts'
import type { Under } from '#domains/query.ts'
import type { Answering, Parts } from './answer.ts'
import { viewsOf } from './views.ts'

/** Answers only where that is there which the list hangs on; else it is 404. */
export function under(parts: Parts, domain: Domain, on: Under | undefined, answering: Answering): Answering {
  if (!on) return answering
  return async (asking) => {
    const { params, request } = asking
    const [documents] = await viewsOf(parts.store, domain, [params], on.touches)
    if (!on.isThere(documents as View, params)) {
      throw new Problem(404, 'Not found', `There is nothing at ${request.path}.`)
    }
    return answering(asking)
  }
}
