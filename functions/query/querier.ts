import { authorize, type Restriction } from '#core/access.ts'
import type { CallerOf } from '#core/caller.ts'
import { Problem, RETRY_SOON } from '#core/problem.ts'
import { EVENTS_PATH, LETTER_PATH, LETTERS_PATH, OVERVIEW_PATH, RECEIPT_PATH } from '#core/registry.ts'
import type { Request, Response } from '#core/request.ts'
import { type RouteEntry, router } from '#core/router.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Caller, Domain } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { all } from './all.ts'
import type { Answering, Parts } from './answer.ts'
import { count } from './count.ts'
import { feedsOf } from './feeds.ts'
import { history } from './history.ts'
import { letterPage, oneLetter } from './letters.ts'
import { type LiveParts, live } from './live.ts'
import { one } from './one.ts'
import { overview, type Part } from './overview.ts'
import { page } from './page.ts'
import { type Given, readParams, type Taking } from './params.ts'
import { readable } from './readable.ts'
import { ownWrite, type ReceiptParts, receipt } from './receipt.ts'
import { total } from './total.ts'
import { under } from './under.ts'
import { view } from './view.ts'

export interface QuerierParts extends Parts, ReceiptParts {
  domains: Domain[]
  callerOf: CallerOf
  /** The routes that describe the API, by path. */
  descriptions: { [path: string]: Answering }
  /** Whether queries that fail on purpose are there. */
  faults: boolean
}

/** What stands at a path. */
interface Place {
  query: Taking & Restriction
  answer: Answering
}

const LETTERS_SCOPE = 'letters:read'

/** query: match the route, know the caller, wait for one's own write if asked, read, answer. */
export function querier(parts: QuerierParts) {
  const store = readable(parts.store)
  const match = router(entriesOf({ ...parts, store, feeds: feedsOf(store, parts) }))

  return async function query(request: Request): Promise<Response> {
    const { target, params, path } = match(request.method, request.path)
    request.route = path
    if (!target) throw new Problem(404, 'Not found', 'Commands are taken by publish, not by query.')
    const behind = request.query
    const caller = await parts.callerOf(request.headers)
    const ask = asking(target, caller, params, behind)
    try {
      await Promise.all(behind.getAll('after').map((own) => ownWrite(parts, own, request.signal)))
      return await ask(request)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      const headers = RETRY_SOON
      throw new Problem(503, 'Store unavailable', 'The store can not be read now.', { cause: error, headers })
    }
  }
}

/** The one way to an answer. Who asks and what is asked for are checked before anything is waited for or read. */
function asking({ query, answer }: Place, caller: Caller, path: Given, behind: URLSearchParams) {
  authorize(query, caller)
  const asked = readParams(query, path, behind)
  authorize(query, caller, asked.params)
  return (request: Request) => answer({ request, caller, ...asked })
}

function entriesOf(parts: QuerierParts & LiveParts): RouteEntry<Place | undefined>[] {
  const get = (path: string, answer: Answering, query: Taking & Restriction = { answers: 'one' }) =>
    ({ method: 'GET', path, target: { query, answer } }) as const
  const entries: RouteEntry<Place | undefined>[] = [
    { method: 'POST', path: EVENTS_PATH, target: undefined },
    get(RECEIPT_PATH, receipt(parts)),
    get(LETTERS_PATH, letterPage(parts), { answers: 'page', scope: LETTERS_SCOPE }),
    get(LETTER_PATH, oneLetter(parts), { answers: 'one', scope: LETTERS_SCOPE }),
    ...Object.entries(parts.descriptions).map(([path, answer]) => get(path, answer)),
  ]
  const partsOfOverview: Part[] = []
  for (const domain of parts.domains) {
    for (const query of domain.queries) {
      if (query.answers === 'fault' && !parts.faults) continue
      const place = { query, answer: under(parts, domain, query, answering(parts, domain, query)) }
      entries.push({ method: 'GET', path: query.path, target: place })
      const ask: Part['ask'] = async (request, caller) => asking(place, caller, {}, request.query)(request)
      if (query.overview) partsOfOverview.push({ query, ask })
    }
    for (const { method, path } of Object.values(domain.commands).flatMap(({ routes }) => routes)) {
      entries.push({ method, path, target: undefined })
    }
  }
  entries.push(get(OVERVIEW_PATH, overview(parts, partsOfOverview)))
  return entries
}

function answering(parts: Parts & LiveParts, domain: Domain, query: Query): Answering {
  switch (query.answers) {
    case 'page':
      return page(parts, domain, query)
    case 'one':
      return one(parts, domain, query)
    case 'view':
      return view(parts, domain, query)
    case 'all':
      return all(parts, domain, query)
    case 'history':
      return history(parts, domain, query)
    case 'count':
      return count(parts, domain, query)
    case 'live':
      return live(parts, domain, query)
    case 'total':
      return total(parts, domain, query)
    case 'fault':
      return deliberateFault(parts)
    default:
      return query satisfies never
  }
}

const deliberateFault =
  ({ metrics }: Parts): Answering =>
  async () => {
    metrics.failed('deliberate')
    throw new Problem(500, 'Deliberate fault', 'This route fails on purpose, to test alerts (FAULT_ROUTES=on).')
  }
