import { tagged } from '#core/etag.ts'
import { NDJSON_TYPE } from '#core/media-types.ts'
import { Problem } from '#core/problem.ts'
import type { Response } from '#core/request.ts'
import type { Store, StoredCollection } from '#core/store.ts'
import type { Caller, Document, DocumentReader, Domain, Fields } from '#domains/domain.ts'
import type { PageQuery } from '#domains/query.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { askedOf, collectionOf, type QueryHandler, type QueryParts, type QueryRequest, SCAN_BATCH } from './handler.ts'
import { indexScanOf, type ScanQuery, scan } from './index-scan.ts'
import { loadTouched } from './load-touched.ts'
import { type ListParts, numberedPage } from './numbered-page.ts'

/** The number of documents that a page reads at most to find those that belong to it. */
const MAX_READ = 5000

/** Answers a page of a list, or streams the list as NDJSON. */
export function pageHandler(parts: QueryParts, domain: Domain, query: PageQuery): QueryHandler {
  const { path, from, join } = query

  async function shape(documents: Document[], queryRequest: QueryRequest): Promise<(Fields | undefined)[]> {
    const { params, caller } = queryRequest
    if (!join) {
      const asked = askedOf(queryRequest)
      return documents.map((document) => query.shape(document, asked))
    }
    const touches = (document: Document, joined: DocumentReader) => join(document, joined, params, caller)
    const joined = await loadTouched(parts.store, domain, documents, { member: 'join', touches })
    return documents.map((document, at) => query.shape(document, askedOf(queryRequest, joined[at])))
  }

  /** The collection to read. A name that does not depend on the request is checked at the start. */
  function collectionFor(): ListDeclaration['collectionFor'] {
    if (typeof from === 'function')
      return (params, caller) => collectionOf(domain, { path, from: from(params, caller) })
    const collection = collectionOf(domain, from === undefined ? { path } : { path, from })
    return () => collection
  }

  return listHandler(parts, { collectionFor: collectionFor(), query, shape })
}

interface ListDeclaration {
  collectionFor(params: Fields, caller: Caller): StoredCollection
  query: ScanQuery & Pick<PageQuery, 'keep' | 'numbered'>
  /** The items of documents; `undefined` for a document that does not belong to the list. */
  shape(documents: Document[], queryRequest: QueryRequest): Promise<(Fields | undefined)[]>
}

/** Answers a page of a list. With `Accept: application/x-ndjson` it streams the list from the page's start to its end. */
export function listHandler(
  { store }: { store: Pick<Store, 'find' | 'count'> },
  { collectionFor, query, shape }: ListDeclaration,
): QueryHandler {
  return async (queryRequest) => {
    const { request, params, caller, limit, cursor, numbering } = queryRequest
    const indexScan = indexScanOf(collectionFor(params, caller), query, queryRequest)
    const after = cursor === undefined ? undefined : readCursor(indexScan, cursor)
    const keep = (document: Document) => query.keep?.(document, params, caller) ?? true
    const list: ListParts = { store, indexScan, keep, shape: (documents) => shape(documents, queryRequest) }
    const isLines = request.headers.accept?.includes(NDJSON_TYPE)
    if (numbering) {
      if (isLines) throw new Problem(400, 'Bad parameters', 'NDJSON has no pages: leave out page and size.')
      const isByIndex = query.numbered?.isByIndex?.(params, caller) ?? false
      return tagged(request, await numberedPage(list, numbering, isByIndex))
    }
    if (isLines) return linesResponse(list, after, request.signal)
    return tagged(request, await cursorPage(list, after, limit))
  }
}

/** A page and the cursor of the next one. The page is short if the scan reaches its maximum of documents first. */
async function cursorPage({ store, indexScan, keep, shape }: ListParts, after: Document | undefined, limit: number) {
  const items = new Map<string, Fields>()
  let read = 0
  let last = after
  const isFull = () => items.size === limit || read === MAX_READ
  for await (const documents of scan(store, indexScan, after, limit + 1)) {
    // A full page only needs to know whether another document follows.
    const kept = isFull() ? [] : documents.slice(0, MAX_READ - read).filter(keep)
    const shaped = await shape(kept)
    // The kept documents are in the order of all of them.
    let at = 0
    for (const document of documents) {
      if (last && isFull()) return { items: [...items.values()], next: writeCursor(indexScan, last) }
      read++
      last = document
      const item = document === kept[at] ? shaped[at++] : undefined
      if (item) items.set(document._id, item)
    }
  }
  return { items: [...items.values()], next: null }
}

/** The list as NDJSON. Each line has its cursor, with which a client resumes after a broken connection. */
function linesResponse(list: ListParts, after: Document | undefined, signal: AbortSignal): Response {
  const headers = { 'content-type': NDJSON_TYPE, 'cache-control': 'no-cache' }
  return { status: 200, headers, body: linesOf(list, after, signal) }
}

async function* linesOf(
  { store, indexScan, keep, shape }: ListParts,
  after: Document | undefined,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for await (const documents of scan(store, indexScan, after, SCAN_BATCH)) {
    if (signal.aborted) return
    const kept = documents.filter(keep)
    const shaped = await shape(kept)
    // Yields even an empty chunk, so that the response starts.
    yield shaped
      .map((fields, at) => (fields ? lineOf(fields, writeCursor(indexScan, kept[at] as Document)) : ''))
      .join('')
  }
}

const lineOf = (fields: Fields, cursor: string): string => `${JSON.stringify({ ...fields, cursor })}\n`
