import { authorize, type CallerOf, type Restriction } from '#core/access.ts'
import { ANONYMOUS } from '#core/ids.ts'
import { Problem, RETRY_SOON } from '#core/problem.ts'
import { RECEIPT_PATH } from '#core/receipts.ts'
import { EVENTS_PATH, LETTER_PATH, LETTERS_PATH, LETTERS_SCOPE, OVERVIEW_PATH } from '#core/registry.ts'
import { type Request, type Response, type RouteEntry, router, type ServedBy } from '#core/request.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Caller, Domain } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { allHandler } from './all-handler.ts'
import { composedHandler } from './composed-handler.ts'
import { countHandler } from './count-handler.ts'
import { feedsOf } from './feeds.ts'
import type { QueryHandler, QueryParts } from './handler.ts'
import { historyHandler } from './history-handler.ts'
import { letterHandler, letterListHandler } from './letter-handlers.ts'
import { type LiveParts, liveHandler } from './live-handler.ts'
import { oneHandler } from './one-handler.ts'
import { type OverviewPart, overviewHandler } from './overview-handler.ts'
import { pageHandler } from './page-handler.ts'
import { type ParamsDeclaration, type ParamsReader, paramsReader, type RawParams } from './params.ts'
import { requireParent } from './parent.ts'
import { queryStore } from './query-store.ts'
import { type ReceiptParts, receiptHandler, waitForOwnWrites } from './receipt-handler.ts'
import { totalHandler } from './total-handler.ts'

export interface QuerierParts extends QueryParts, ReceiptParts {
  domains: Domain[]
  callerOf: CallerOf
  /** A number from 0 up to but not including 1, like `Math.random`. */
  random: () => number
  /** The handlers of the routes that describe the API, by path. */
  descriptions: { [path: string]: QueryHandler }
  /** True to serve the queries that fail on purpose. */
  faults: boolean
}

interface ReadRoute {
  query: ParamsDeclaration & Restriction
  readParams: ParamsReader
  handler: QueryHandler
  servedBy?: ServedBy
}

/** The route of a domain's query. */
type DomainRoute = ReadRoute & { query: Query; servedBy: ServedBy }

/** The function query: matches the route, identifies the caller, waits for the caller's own writes, reads and answers. */
export function querier(parts: QuerierParts) {
  const store = queryStore(parts.store, parts.domains)
  const match = router(routesOf({ ...parts, store, feeds: feedsOf(store, parts) }))

  return async function query(request: Request): Promise<Response> {
    const { target, params, path } = match(request.method, request.path)
    request.route = path
    if (target?.servedBy) request.servedBy = target.servedBy
    if (!target) throw new Problem(404, 'Not found', 'This route takes commands: publish serves it, not query.')
    const search = request.query
    const caller = await parts.callerOf(request.headers)
    const respond = responder(target, caller, params, search)
    try {
      if (search.has('after')) await waitForOwnWrites(parts, search.getAll('after'), request.signal)
      return forCaller(caller, await respond(request))
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      const headers = RETRY_SOON
      throw new Problem(503, 'Store unavailable', 'The store cannot be read now.', { cause: error, headers })
    }
  }
}

/** The response with the headers that keep a cache from serving it to another caller. */
function forCaller({ id }: Caller, response: Response): Response {
  const { headers } = response
  const caching = headers?.['cache-control'] ?? 'no-cache'
  const isPrivate = id !== ANONYMOUS && caching !== 'no-store'
  const vary = 'accept, authorization'
  return { ...response, headers: { ...headers, 'cache-control': isPrivate ? `private, ${caching}` : caching, vary } }
}

/** Checks the caller and the parameters at once, before anything is waited for or read. The result answers the request. */
function responder(
  { query, readParams, handler }: ReadRoute,
  caller: Caller,
  path: RawParams,
  search: URLSearchParams,
) {
  authorize(query, caller)
  const valid = readParams(path, search)
  authorize(query, caller, valid.params)
  return (request: Request) => handler({ request, caller, ...valid })
}

function routesOf(parts: QuerierParts & LiveParts): RouteEntry<ReadRoute | undefined>[] {
  const get = (path: string, handler: QueryHandler, query: ReadRoute['query'] = { answers: 'one' }) =>
    ({ method: 'GET', path, target: { query, readParams: paramsReader(query), handler } }) as const
  const queries = parts.domains.flatMap((domain) =>
    domain.queries
      .filter(({ answers }) => answers !== 'fault' || parts.faults)
      .map(
        (query): DomainRoute => ({
          query,
          readParams: paramsReader(query),
          handler: requireParent(parts, domain, query, handlerOf(parts, domain, query)),
          servedBy: { domain: domain.name },
        }),
      ),
  )
  const commandRoutes = parts.domains.flatMap(({ commands }) => Object.values(commands).flatMap(({ routes }) => routes))
  return [
    { method: 'POST', path: EVENTS_PATH, target: undefined },
    ...commandRoutes.map(({ method, path }) => ({ method, path, target: undefined })),
    get(RECEIPT_PATH, receiptHandler(parts)),
    get(LETTERS_PATH, letterListHandler(parts), { answers: 'page', scope: LETTERS_SCOPE }),
    get(LETTER_PATH, letterHandler(parts), { answers: 'one', scope: LETTERS_SCOPE }),
    ...Object.entries(parts.descriptions).map(([path, handler]) => get(path, handler)),
    ...queries.map((target) => ({ method: 'GET', path: target.query.path, target }) as const),
    get(OVERVIEW_PATH, overviewHandler(parts, queries.filter(({ query }) => query.overview).map(overviewPart))),
  ]
}

const overviewPart = (route: DomainRoute): OverviewPart => ({
  query: route.query,
  servedBy: route.servedBy,
  ask: async (request, caller) => responder(route, caller, {}, request.query)(request),
})

function handlerOf(parts: QueryParts & LiveParts, domain: Domain, query: Query): QueryHandler {
  switch (query.answers) {
    case 'page':
      return pageHandler(parts, domain, query)
    case 'one':
      return oneHandler(parts, domain, query)
    case 'composed':
      return composedHandler(parts, domain, query)
    case 'all':
      return allHandler(parts, domain, query)
    case 'history':
      return historyHandler(parts, domain, query)
    case 'count':
      return countHandler(parts, domain, query)
    case 'live':
      return liveHandler(parts, domain, query)
    case 'total':
      return totalHandler(parts, domain, query)
    case 'fault':
      return faultHandler(parts)
    default:
      return query satisfies never
  }
}

const faultHandler =
  ({ metrics }: QueryParts): QueryHandler =>
  async () => {
    metrics.failed('deliberate')
    throw new Problem(500, 'Deliberate fault', 'This route fails on purpose, to test alerts (FAULT_ROUTES=on).')
  }
