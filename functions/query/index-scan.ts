import { compareKeys, fieldsOf } from '#core/indexes.ts'
import type { Find, Range, Store, StoredCollection } from '#core/store.ts'
import type { Caller, Document, Fields } from '#domains/domain.ts'
import type { PageQuery } from '#domains/query.ts'
import { type QueryRequest, SCAN_BATCH } from './handler.ts'

/** The documents of an index that match one of several filters, in the order of the index. */
export interface IndexScan {
  collection: StoredCollection
  index: string
  /** The values of the index's first fields. All filters fix the same fields. */
  filters: Fields[]
  range: Range | undefined
  newestFirst: boolean
  /** The fields of the index after those that the filters fix. With `_id` they are the order. */
  sortFields: string[]
}

/** The members of a query that choose an index scan. */
export type ScanQuery = Pick<PageQuery, 'index' | 'where' | 'range' | 'newestFirst'>

/** The scan that a query asks for with these parameters and for this caller. */
export function indexScanOf(
  collection: StoredCollection,
  query: ScanQuery,
  { params, caller, newestFirst = valueFor(query.newestFirst ?? false, params, caller) }: QueryRequest,
): IndexScan {
  const index = valueFor(query.index, params, caller)
  const filters = [query.where?.(params, caller) ?? {}].flat()
  const [fixed = [], ...others] = filters.map((filter) => Object.keys(filter).sort())
  if (others.some((names) => names.join() !== fixed.join())) {
    throw new Error(`${collection.name}: all filters of a query must fix the same fields of ${index}`)
  }
  const sortFields = fieldsOf(collection, index).filter((field) => !fixed.includes(field))
  const range = boundsOf(query.range?.(params, caller) ?? {})
  return { collection, index, filters, range, newestFirst, sortFields }
}

function boundsOf({ from, to }: ReturnType<NonNullable<ScanQuery['range']>>): Range | undefined {
  if (from === undefined && to === undefined) return undefined
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

const valueFor = <Value extends string | boolean>(
  value: Value | ((params: Fields, caller: Caller) => Value),
  params: Fields,
  caller: Caller,
): Value => (typeof value === 'function' ? value(params, caller) : value)

/** The documents of one filter, as far as they have been read. */
interface Source {
  filter: Fields
  /** The documents that were read and not yet yielded, the next one last. */
  buffer: Document[]
  last: Document | undefined
  isComplete: boolean
}

/**
 * Yields the documents of a scan after a position, in batches. Reads `firstBatch` documents of each filter first, and twice as
 * many with each further read. Yields a document that several filters match once.
 */
export async function* scan(
  store: Pick<Store, 'find'>,
  indexScan: IndexScan,
  after: Document | undefined,
  firstBatch: number,
): AsyncGenerator<Document[]> {
  const sources = indexScan.filters.map((filter): Source => ({ filter, buffer: [], last: after, isComplete: false }))
  const compare = comparator(indexScan)
  const maxBatch = Math.max(firstBatch, SCAN_BATCH)
  let lastId: string | undefined
  for (let limit = firstBatch; ; limit = Math.min(2 * limit, maxBatch)) {
    await Promise.all(sources.filter(needsRead).map((source) => read(store, indexScan, source, limit)))
    const batch: Document[] = []
    while (!sources.some(needsRead)) {
      const document = takeFirst(sources, compare)
      if (!document) break
      if (document._id !== lastId) batch.push(document)
      lastId = document._id
    }
    if (batch.length > 0) yield batch
    if (sources.every(({ isComplete, buffer }) => isComplete && buffer.length === 0)) return
  }
}

const needsRead = ({ isComplete, buffer }: Source): boolean => !isComplete && buffer.length === 0

async function read(store: Pick<Store, 'find'>, scan: IndexScan, source: Source, limit: number): Promise<void> {
  const { collection, index, range, newestFirst } = scan
  const find: Find = { index, where: source.filter, limit, newestFirst, ...(range ? { range } : {}) }
  if (source.last) find.after = { ...source.last, ...source.filter }
  source.buffer = await store.find(collection, find)
  source.last = source.buffer.at(-1) ?? source.last
  source.isComplete = source.buffer.length < limit
  source.buffer.reverse()
}

type Comparator = (one: Document, other: Document) => number

/** Takes the first document of all sources out of its buffer. */
function takeFirst(sources: Source[], compare: Comparator): Document | undefined {
  let first: Source | undefined
  for (const source of sources) {
    const [best, next] = [first?.buffer.at(-1), source.buffer.at(-1)]
    if (next && (!best || compare(next, best) < 0)) first = source
  }
  return first?.buffer.pop()
}

/** The order of the sort fields, with `_id` as the last. */
function comparator({ sortFields, newestFirst }: IndexScan): Comparator {
  const sign = newestFirst ? -1 : 1
  const keyOf = (document: Document) => [...sortFields.map((field) => document[field] ?? null), document._id]
  return (one, other) => sign * compareKeys(keyOf(one), keyOf(other))
}
