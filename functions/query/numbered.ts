import { Problem } from '#core/problem.ts'
import type { Store } from '#core/store.ts'
import type { Document, Fields } from '#domains/domain.ts'
import { AT_ONCE } from './answer.ts'
import { type List, reading } from './list.ts'

/** Pages have numbers up to this many items, and totals are counted so far. */
export const MOST_NUMBERED = 10_000

/** The number of documents that are read to count those that belong to an answer. */
const MOST_READ = 5000

export interface Numbering {
  page: number
  size: number
}

export interface NumberedPage extends Numbering {
  items: Fields[]
  total: number
  /** False: there are more than `total`, or may be. */
  isTotalExact: boolean
  totalPages: number
}

interface Counted {
  items: Fields[]
  total: number
  isTotalExact: boolean
}

interface Parts {
  store: Pick<Store, 'find' | 'count'>
  list: List
  /** True where the index alone finds what belongs to the answer. */
  isByIndex: boolean
  keep(document: Document): boolean
  shape(documents: Document[]): Promise<(Fields | undefined)[]>
}

/** A page by its number, with totals. What it costs is bounded: throws 422 for a page that lies too far behind. */
export async function numberedPage(parts: Parts, { page, size }: Numbering): Promise<NumberedPage> {
  if ((page + 1) * size > MOST_NUMBERED) {
    const detail = `Pages by number end at item ${MOST_NUMBERED}. Leave out page and size, and follow the cursor in next.`
    throw new Problem(422, 'Page too far', detail)
  }
  const isCounted = parts.isByIndex && parts.list.wheres.length === 1
  const found = await (isCounted ? countedByIndex : countedByReading)(parts, page * size, size)
  return { ...found, page, size, totalPages: Math.ceil(found.total / size) }
}

async function countedByIndex({ store, list, shape }: Parts, skip: number, limit: number): Promise<Counted> {
  const { collection, index, wheres, range, newestFirst } = list
  const part = { index, where: wheres[0] ?? {}, ...(range ? { range } : {}) }
  const [documents, [group]] = await Promise.all([
    store.find(collection, { ...part, newestFirst, skip, limit }),
    store.count(collection, { ...part, by: [], limit: 1, upTo: MOST_NUMBERED + 1 }),
  ])
  const count = group?.count ?? 0
  const items = (await shape(documents)).filter((item) => item !== undefined)
  return { items, total: Math.min(count, MOST_NUMBERED), isTotalExact: count <= MOST_NUMBERED }
}

async function countedByReading({ store, list, keep, shape }: Parts, skip: number, limit: number): Promise<Counted> {
  const all = new Map<string, Fields>()
  let read = 0
  for await (const documents of reading(store, list, undefined, AT_ONCE)) {
    const looked = documents.slice(0, MOST_READ - read)
    const kept = looked.filter(keep)
    for (const [at, item] of (await shape(kept)).entries()) if (item) all.set((kept[at] as Document)._id, item)
    read += documents.length
    if (read > MOST_READ) break
  }
  const items = [...all.values()].slice(skip, skip + limit)
  return { items, total: all.size, isTotalExact: read <= MOST_READ }
}
