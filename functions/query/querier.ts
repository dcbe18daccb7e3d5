import { hash } from 'node:crypto'
import type { Clock } from '#adapters/clock.ts'
import { json, Problem, type Request, type Response } from '#adapters/host/http.ts'
import { type Find, fieldsOf, type Store } from '#adapters/store/store.ts'
import { failed } from '#adapters/telemetry/metrics.ts'
import { Unavailable } from '#adapters/unavailable.ts'
import type { Collection, Document, Domain, Fields } from '#domains/domain.ts'
import type { AllQuery, OneQuery, PageQuery, Query, TotalQuery } from '#domains/query.ts'
import { letters, slotIds } from '../collections.ts'
import { LETTER_PATH, LETTERS_PATH, RECEIPT_PATH } from '../domains.ts'
import type { Addresses } from '../receipts.ts'
import { type Entry, router } from '../router.ts'
import type { Waiting } from '../waiting.ts'
import { readCursor, readParams, writeCursor } from './page.ts'

export interface QuerierParts {
  domains: Domain[]
  store: Pick<Store, 'get' | 'find'>
  addresses: Addresses
  waiting: Waiting
  clock: Clock
  /** Whether queries that fail on purpose are there. */
  faults: boolean
}

type Answering = (request: Request, params: Record<string, string | undefined>) => Promise<Response>

/** How long `?after=` waits for one's own write, so that a read stays a read. */
const OWN_WRITE_MS = 2000
const STREAM_PAGE = 1000
const NDJSON = 'application/x-ndjson'

/** query: match the route, wait for one's own write if asked, read, answer. */
export function querier({ domains, store, addresses, waiting, clock, faults }: QuerierParts) {
  const entries: Entry<Answering | undefined>[] = [
    { method: 'GET', path: RECEIPT_PATH, target: receipt },
    { method: 'GET', path: LETTERS_PATH, target: (request) => page(request, letters, letterList) },
    {
      method: 'GET',
      path: LETTER_PATH,
      target: (request, { id = '' }) => one(request, letters, { ...letterList, answers: 'one' }, id),
    },
  ]
  for (const domain of domains) {
    const { queries, commands } = domain
    for (const query of queries) {
      if (query.answers === 'fault' && !faults) continue
      const target = answering(domain, query)
      entries.push({ method: 'GET', path: query.path, target })
    }
    for (const { method, path } of Object.values(commands).flatMap(({ routes }) => routes)) {
      entries.push({ method, path, target: undefined })
    }
  }
  const match = router(entries)

  return async function query(request: Request): Promise<Response> {
    const { target, params, path } = match(request.method, request.path)
    request.route = path
    if (!target) throw new Problem(404, 'Not found', 'Commands are taken by publish, not by query.')
    try {
      const own = request.query.get('after')
      if (own !== null) await ownWrite(own, request.signal)
      return await target(request, params)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      const headers = { 'retry-after': '1' }
      throw new Problem(503, 'Store unavailable', 'The store can not be read now.', { cause: error, headers })
    }
  }

  function answering(domain: Domain, query: Query): Answering {
    if (query.answers === 'total') return () => total(domain, query)
    if (query.answers === 'fault') return deliberateFault
    const collection = readBy(domain, query)
    switch (query.answers) {
      case 'page':
        return (request) => page(request, collection, query)
      case 'one':
        return (request, params) => one(request, collection, query, params.id ?? '')
      case 'all':
        return () => all(collection, query)
      default:
        return query satisfies never
    }
  }

  async function total(domain: Domain, query: TotalQuery): Promise<Response> {
    if (domain.kind !== 'decide' || !domain.tally) throw new Error(`${domain.name} has no tally for ${query.path}`)
    const slots = await store.get(domain.tally.collection, slotIds)
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-cache' }
    return { status: 200, headers, body: query.total([...slots.values()]) }
  }

  async function page(request: Request, collection: Collection, query: PageQuery): Promise<Response> {
    const { limit, cursor, own } = readParams(request, query)
    const fields = fieldsOf(collection, query.index)
    const find: Find = { index: query.index, limit, newestFirst: query.newestFirst ?? false }
    if (query.where) find.where = query.where(own)
    if (cursor !== undefined) find.after = readCursor(cursor, query.index, fields)
    if (request.headers.accept?.includes(NDJSON)) return await lines(collection, find, query)
    const documents = await store.find(collection, find)
    const last = documents.at(-1)
    const next = last && documents.length === limit ? writeCursor(last, query.index, fields) : null
    return tagged(request, { items: documents.map(query.shape), next })
  }

  async function one(request: Request, collection: Collection, query: OneQuery, id: string): Promise<Response> {
    const document = (await store.get(collection, [id])).get(id)
    if (!document) throw new Problem(404, 'Not found', `There is nothing with id ${id}.`)
    return tagged(request, query.shape(document))
  }

  /** The first page is read before the answer begins, so that an outage is a 503 and not a broken stream. */
  async function all(collection: Collection, { index, shape }: AllQuery): Promise<Response> {
    const find = { index, limit: STREAM_PAGE }
    const pages = following(collection, find, await store.find(collection, find))
    return { status: 200, headers: { 'content-type': 'application/json' }, body: array(pages, shape) }
  }

  /** All that a page begins, a document a line. */
  async function lines(collection: Collection, page: Find, { shape }: PageQuery): Promise<Response> {
    const find = { ...page, limit: STREAM_PAGE }
    const pages = following(collection, find, await store.find(collection, find))
    return { status: 200, headers: { 'content-type': NDJSON }, body: eachLine(pages, shape) }
  }

  async function* following(collection: Collection, find: Find, first: Document[]): AsyncGenerator<Document[]> {
    for (let documents = first; documents.length > 0; ) {
      yield documents
      const after = documents.at(-1)
      if (!after || documents.length < STREAM_PAGE) return
      documents = await store.find(collection, { ...find, after })
    }
  }

  async function receipt(request: Request, params: Record<string, string | undefined>): Promise<Response> {
    const address = addresses.verify(params.receipt ?? '', clock.now())
    const found = await waiting.wait(address, 0, request.signal)
    const headers = { 'cache-control': 'no-store', ...(found.status === 'pending' ? { 'retry-after': '1' } : {}) }
    return json(200, { id: address.id, ...found }, headers)
  }

  async function ownWrite(receipt: string, signal: AbortSignal): Promise<void> {
    const address = addresses.verify(receipt.replace(/^.*\//, ''), clock.now())
    const found = await waiting.wait(address, OWN_WRITE_MS, signal)
    if (found.status === 'pending') {
      const headers = { 'retry-after': '1' }
      throw new Problem(503, 'Not yet applied', 'The command of this receipt is not applied yet.', { headers })
    }
  }
}

async function deliberateFault(): Promise<never> {
  failed('deliberate')
  throw new Problem(500, 'Deliberate fault', 'This route fails on purpose, to test alerts (FAULT_ROUTES=on).')
}

/** The collection that a query names; the only one where it names none. */
function readBy(domain: Domain, { path, from }: PageQuery | OneQuery | AllQuery): Collection {
  const all = domain.kind === 'append' ? [domain.documents.collection] : domain.collections
  const [first] = from === undefined && all.length === 1 ? all : all.filter(({ name }) => name === from)
  if (!first)
    throw new Error(
      `${path}: domain ${domain.name} has no collection ${from ?? 'of its own to read without saying which'}`,
    )
  return first
}

async function* array(pages: AsyncIterable<Document[]>, shape: AllQuery['shape']): AsyncGenerator<string> {
  yield '['
  let separator = ''
  for await (const documents of pages) {
    yield separator + documents.map((document) => JSON.stringify(shape(document))).join(',')
    separator = ','
  }
  yield ']'
}

async function* eachLine(pages: AsyncIterable<Document[]>, shape: PageQuery['shape']): AsyncGenerator<string> {
  for await (const documents of pages) {
    yield documents.map((document) => `${JSON.stringify(shape(document))}\n`).join('')
  }
}

const letterList: PageQuery = {
  answers: 'page',
  path: LETTERS_PATH,
  index: 'arrival',
  shape: ({ _id, hash: _, ...letter }): Fields => ({ id: _id, ...letter }),
}

/** Answers 304 to a client that has this very body. */
function tagged(request: Request, body: unknown): Response {
  const answer = json(200, body, { 'cache-control': 'no-cache' })
  const etag = `"${hash('sha256', String(answer.body), 'base64url').slice(0, 22)}"`
  const headers = { ...answer.headers, etag }
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (known?.some((tag) => tag === etag || tag === '*')) return { status: 304, headers: { etag } }
  return { ...answer, headers }
}
