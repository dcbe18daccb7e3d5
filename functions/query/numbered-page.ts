import { Problem } from '#core/problem.ts'
import type { Store } from '#core/store.ts'
import type { Document, Fields } from '#domains/domain.ts'
import { SCAN_BATCH } from './handler.ts'
import { type IndexScan, scan } from './index-scan.ts'

/** The item at which numbered pages and their totals end. */
const MAX_NUMBERED = 10_000

/** The number of documents that are read at most to count those that belong to a list. */
const MAX_READ = 5000

export interface Numbering {
  page: number
  size: number
}

export interface NumberedPage extends Numbering {
  items: Fields[]
  total: number
  /** False if there may be more items than `total`. */
  isTotalExact: boolean
  totalPages: number
}

type CountedItems = Pick<NumberedPage, 'items' | 'total' | 'isTotalExact'>

/** A list as its pages need it: the documents, the test whether one belongs to it, and the items that they become. */
export interface ListParts {
  store: Pick<Store, 'find' | 'count'>
  indexScan: IndexScan
  keep(document: Document): boolean
  shape(documents: Document[]): Promise<(Fields | undefined)[]>
}

/**
 * A page by its number, with totals. `isByIndex` is true if the index alone finds the documents of the list. The cost is bounded:
 * throws 422 for a page beyond item 10,000.
 */
export async function numberedPage(
  list: ListParts,
  { page, size }: Numbering,
  isByIndex: boolean,
): Promise<NumberedPage> {
  if ((page + 1) * size > MAX_NUMBERED) {
    const detail = `Numbered pages end at item ${MAX_NUMBERED}. Leave out page and size, and follow the cursor in next.`
    throw new Problem(422, 'Page too far', detail)
  }
  const isCounted = isByIndex && list.indexScan.filters.length === 1
  const counted = await (isCounted ? countByIndex : countByReading)(list, page * size, size)
  return { ...counted, page, size, totalPages: Math.ceil(counted.total / size) }
}

async function countByIndex(
  { store, indexScan, shape }: ListParts,
  skip: number,
  limit: number,
): Promise<CountedItems> {
  const { collection, index, filters, range, newestFirst } = indexScan
  const selection = { index, where: filters[0] ?? {}, ...(range ? { range } : {}) }
  const [documents, [group]] = await Promise.all([
    store.find(collection, { ...selection, newestFirst, skip, limit }),
    store.count(collection, { ...selection, by: [], limit: 1, upTo: MAX_NUMBERED + 1 }),
  ])
  const count = group?.count ?? 0
  const items = (await shape(documents)).filter((item) => item !== undefined)
  return { items, total: Math.min(count, MAX_NUMBERED), isTotalExact: count <= MAX_NUMBERED }
}

async function countByReading(
  { store, indexScan, keep, shape }: ListParts,
  skip: number,
  limit: number,
): Promise<CountedItems> {
  const items = new Map<string, Fields>()
  let read = 0
  for await (const documents of scan(store, indexScan, undefined, SCAN_BATCH)) {
    const kept = documents.slice(0, MAX_READ - read).filter(keep)
    for (const [at, item] of (await shape(kept)).entries()) if (item) items.set((kept[at] as Document)._id, item)
    read += documents.length
    if (read > MAX_READ) break
  }
  const page = [...items.values()].slice(skip, skip + limit)
  return { items: page, total: items.size, isTotalExact: read <= MAX_READ }
}
