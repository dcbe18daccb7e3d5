import { type IndexRange, sorted } from '#core/indexes.ts'
import type { Count, Counted, Find } from '#core/store.ts'
import type { Document, Json } from '#domains/domain.ts'

/** The documents in a range of an index. A list is found by its items. */
export function within(documents: Document[], { equal, free: [first], range }: IndexRange): Document[] {
  const isIn = (value: Json, bound: Json) => typeof value === typeof bound
  return documents.filter((document) => {
    const value = document[first] ?? null
    const { from, to } = range ?? {}
    return (
      equal.every(([field, wanted]) => [document[field] ?? null].flat().includes(wanted)) &&
      (from === undefined || (isIn(value, from) && compare(value, from) >= 0)) &&
      (to === undefined || (isIn(value, to) && compare(value, to) < 0))
    )
  })
}

/** A page of these documents, in the order of the index. */
export function pageOf(documents: Document[], { free }: IndexRange, query: Find): Document[] {
  const { after, newestFirst, skip = 0, limit } = query
  const direction = newestFirst ? -1 : 1
  const inOrder = (a: Document, b: Document): number => {
    for (const field of free) {
      const order = compare(a[field] ?? null, b[field] ?? null)
      if (order !== 0) return order * direction
    }
    return 0
  }
  return documents
    .filter((document) => !after || inOrder(document, after) > 0)
    .sort(inOrder)
    .slice(skip, skip + limit)
}

/** The number of these documents in each group. */
export function countOf(documents: Document[], query: Count): Counted[] {
  const counts = new Map<string, number>()
  for (const document of documents.slice(0, query.upTo)) {
    const key = query.by.map(({ field, length }) => {
      const value = document[field] ?? null
      return typeof value === 'string' && length !== undefined ? [...value].slice(0, length).join('') : value
    })
    counts.set(JSON.stringify(key), (counts.get(JSON.stringify(key)) ?? 0) + 1)
  }
  return sorted(
    [...counts].map(([key, count]) => ({ key: JSON.parse(key) as Json[], count })),
    query,
  )
}

/** Null is the lowest value. Text is compared by code points, unlike in JavaScript. */
function compare(a: Json, b: Json): number {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? -1 : 1
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return Number(a) - Number(b)
}
