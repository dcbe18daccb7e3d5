import { type Find, fieldsOf, type Store, type StoredCollection } from '#adapters/store/store.ts'
import type { Document, Fields, Json } from '#domains/domain.ts'
import type { PageQuery } from '#domains/query.ts'
import { AT_ONCE } from './answer.ts'

/** Documents of an index, in its order: all that match one of `wheres`. */
export interface List {
  collection: StoredCollection
  index: string
  /** Each fixes the same fields. */
  wheres: Fields[]
  newestFirst: boolean
  /** The index's fields behind those that are fixed; they and `_id` are the order. */
  free: string[]
}

type Finding = Pick<PageQuery, 'index' | 'where' | 'newestFirst'>

export function listOf(collection: StoredCollection, query: Finding, params: Fields): List {
  const index = asked(query.index, params)
  const wheres = [query.where?.(params) ?? {}].flat()
  const [fixed = [], ...others] = wheres.map((where) => Object.keys(where).sort())
  if (others.some((names) => names.join() !== fixed.join())) {
    throw new Error(`${collection.name}: lists that are merged fix the same fields of ${index}`)
  }
  const free = fieldsOf(collection, index).filter((field) => !fixed.includes(field))
  return { collection, index, wheres, newestFirst: asked(query.newestFirst ?? false, params), free }
}

const asked = <Value extends string | boolean>(value: Value | ((params: Fields) => Value), params: Fields): Value =>
  typeof value === 'function' ? value(params) : value

/** A part of a list, as far as it is read. */
interface Source {
  where: Fields
  waiting: Document[]
  last: Document | undefined
  isRead: boolean
}

/**
 * The documents of a list behind a position, some at a time; each part is read `atOnce` documents first and more with each read. One
 * that several parts have is given once.
 */
export async function* reading(
  store: Pick<Store, 'find'>,
  list: List,
  after: Document | undefined,
  atOnce: number,
): AsyncGenerator<Document[]> {
  const { collection, index, newestFirst } = list
  const sources = list.wheres.map((where): Source => ({ where, waiting: [], last: after, isRead: false }))
  const inOrder = orderOf(list)
  let met: string | undefined

  async function read(source: Source, limit: number): Promise<void> {
    const find: Find = { index, where: source.where, limit, newestFirst }
    if (source.last) find.after = { ...source.last, ...source.where }
    source.waiting = await store.find(collection, find)
    source.last = source.waiting.at(-1) ?? source.last
    source.isRead = source.waiting.length < limit
    source.waiting.reverse()
  }

  for (let limit = atOnce; ; limit = Math.min(2 * limit, Math.max(atOnce, AT_ONCE))) {
    await Promise.all(sources.filter(isDry).map((source) => read(source, limit)))
    const found: Document[] = []
    while (!sources.some(isDry)) {
      const first = sources.filter(({ waiting }) => waiting.length > 0).reduce<Source | undefined>(before, undefined)
      const document = first?.waiting.pop()
      if (!document) break
      if (document._id !== met) found.push(document)
      met = document._id
    }
    if (found.length > 0) yield found
    if (sources.every(({ isRead, waiting }) => isRead && waiting.length === 0)) return
  }

  function before(one: Source | undefined, other: Source): Source {
    const [first, second] = [one?.waiting.at(-1), other.waiting.at(-1)]
    return one && first && second && inOrder(first, second) <= 0 ? one : other
  }
}

const isDry = ({ isRead, waiting }: Source): boolean => !isRead && waiting.length === 0

/** Compares as the stores do: what is missing first, then numbers, then strings by their bytes; `_id` last. */
function orderOf({ free, newestFirst }: List): (one: Document, other: Document) => number {
  const sign = newestFirst ? -1 : 1
  return (one, other) => {
    for (const field of [...free, '_id']) {
      const compared = compare(one[field] ?? null, other[field] ?? null)
      if (compared !== 0) return sign * compared
    }
    return 0
  }
}

function compare(one: Json, other: Json): number {
  if (typeof one === 'string' && typeof other === 'string') return Buffer.compare(Buffer.from(one), Buffer.from(other))
  if (rank(one) !== rank(other)) return rank(one) - rank(other)
  return Number(one) - Number(other)
}

const rank = (value: Json): number => (value === null ? 0 : typeof value === 'string' ? 2 : 1)
