import { tagged } from '#core/etag.ts'
import { NDJSON_TYPE } from '#core/media-types.ts'
import { Problem } from '#core/problem.ts'
import type { Response } from '#core/request.ts'
import type { StoredCollection } from '#core/store.ts'
import type { Document, Domain, Fields } from '#domains/domain.ts'
import type { PageQuery } from '#domains/query.ts'
import { type Answering, type Asking, AT_ONCE, collectionOf, type Parts } from './answer.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { type Finding, type List, listOf, reading } from './list.ts'
import { numberedPage } from './numbered.ts'
import { viewsOf } from './views.ts'

/** As many documents as a page looks at for those that belong to it. */
const MOST_LOOKED_AT = 5000

export function page(parts: Parts, domain: Domain, query: PageQuery): Answering {
  const { path, from, join } = query
  return pageOf(parts, collectionFor(), query, async (documents) => {
    const views = await viewsOf(parts.store, domain, documents, join ? (...of) => join(...of) : () => [])
    return documents.map((document, at) => query.shape(document, views[at] as (typeof views)[number]))
  })

  /** A name that does not depend on the parameters is checked at the start. */
  function collectionFor(): (params: Fields) => StoredCollection {
    if (typeof from === 'function') return (params) => collectionOf(domain, { path, from: from(params) })
    const collection = collectionOf(domain, from === undefined ? { path } : { path, from })
    return () => collection
  }
}

type Listing = Finding & Pick<PageQuery, 'keep' | 'numbered'>

/** A page of a collection, or with `Accept: application/x-ndjson` all that it begins. */
export function pageOf(
  { store }: Parts,
  collectionFor: (params: Fields) => StoredCollection,
  query: Listing,
  shape: (documents: Document[]) => Promise<(Fields | undefined)[]>,
): Answering {
  return async (asking) => {
    const list = listOf(collectionFor(asking.params), query, asking.params, asking.newestFirst)
    const after = asking.cursor === undefined ? undefined : readCursor(list, asking.cursor)
    const keep = (document: Document) => query.keep?.(document, asking.params) ?? true
    const isLines = asking.request.headers.accept?.includes(NDJSON_TYPE)
    if (asking.numbering) {
      if (isLines) throw new Problem(400, 'Bad parameters', 'NDJSON has no pages: leave out page and size.')
      const isByIndex = query.numbered?.isByIndex?.(asking.params) ?? false
      return tagged(asking.request, await numberedPage({ store, list, isByIndex, keep, shape }, asking.numbering))
    }
    if (isLines) return lines(asking, list, after, keep)
    return tagged(asking.request, await onePage(asking.limit, list, after, keep))
  }

  /** It is short where it would have to look at too many for those that belong to it. */
  async function onePage(
    limit: number,
    list: List,
    after: Document | undefined,
    keep: (document: Document) => boolean,
  ) {
    const items = new Map<string, Fields>()
    let looked = 0
    let last = after
    const isDone = () => items.size === limit || looked === MOST_LOOKED_AT
    for await (const documents of reading(store, list, after, limit + 1)) {
      // Of a page that is done only whether anything follows is still asked.
      const kept = isDone() ? [] : documents.slice(0, MOST_LOOKED_AT - looked).filter(keep)
      const shaped = await shape(kept)
      const itemOf = new Map(kept.map((document, at) => [document, shaped[at]]))
      for (const document of documents) {
        if (last && isDone()) return { items: [...items.values()], next: writeCursor(list, last) }
        looked++
        last = document
        const item = itemOf.get(document)
        if (item) items.set(document._id, item)
      }
    }
    return { items: [...items.values()], next: null }
  }

  /**
   * A document a line. Each says its cursor, so that whoever was cut off goes on behind the last whole line, without having
   * thought of it before.
   */
  function lines(
    { request: { signal } }: Asking,
    list: List,
    after: Document | undefined,
    keep: (document: Document) => boolean,
  ): Response {
    async function* written(): AsyncGenerator<string> {
      for await (const documents of reading(store, list, after, AT_ONCE)) {
        if (signal.aborted) return
        const kept = documents.filter(keep)
        const shaped = await shape(kept)
        // Also nothing is something: the answer has begun, however far away the first line is.
        yield shaped
          .map((fields, at) => (fields ? lineOf(fields, writeCursor(list, kept[at] as Document)) : ''))
          .join('')
      }
    }
    return { status: 200, headers: { 'content-type': NDJSON_TYPE, 'cache-control': 'no-cache' }, body: written() }
  }
}

const lineOf = (fields: Fields, cursor: string): string => `${JSON.stringify({ ...fields, cursor })}\n`
