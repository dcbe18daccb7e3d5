import { compareKeys } from '#core/index-range.ts'
import { type Find, fieldsOf, type Range, type Store, type StoredCollection } from '#core/store.ts'
import type { Document, Fields } from '#domains/domain.ts'
import type { PageQuery } from '#domains/query.ts'
import { AT_ONCE } from './answer.ts'

/** Documents of an index, in its order: all that match one of `wheres`. */
export interface List {
  collection: StoredCollection
  index: string
  /** Each fixes the same fields. */
  wheres: Fields[]
  range: Range | undefined
  newestFirst: boolean
  /** The index's fields behind those that are fixed; they and `_id` are the order. */
  free: string[]
}

export type Finding = Pick<PageQuery, 'index' | 'where' | 'range' | 'newestFirst'>

export function listOf(
  collection: StoredCollection,
  query: Finding,
  params: Fields,
  newestFirst = asked(query.newestFirst ?? false, params),
): List {
  const index = asked(query.index, params)
  const wheres = [query.where?.(params) ?? {}].flat()
  const [fixed = [], ...others] = wheres.map((where) => Object.keys(where).sort())
  if (others.some((names) => names.join() !== fixed.join())) {
    throw new Error(`${collection.name}: lists that are merged fix the same fields of ${index}`)
  }
  const free = fieldsOf(collection, index).filter((field) => !fixed.includes(field))
  const range = boundsOf(query.range?.(params) ?? {})
  return { collection, index, wheres, range, newestFirst, free }
}

function boundsOf({ from, to }: ReturnType<NonNullable<Finding['range']>>): Range | undefined {
  if (from === undefined && to === undefined) return undefined
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
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
  const { collection, index, range, newestFirst } = list
  const sources = list.wheres.map((where): Source => ({ where, waiting: [], last: after, isRead: false }))
  const inOrder = orderOf(list)
  let met: string | undefined

  async function read(source: Source, limit: number): Promise<void> {
    const find: Find = { index, where: source.where, limit, newestFirst, ...(range ? { range } : {}) }
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

/** The order of an index behind the fields that are fixed, `_id` last. */
function orderOf({ free, newestFirst }: List): (one: Document, other: Document) => number {
  const sign = newestFirst ? -1 : 1
  const keyOf = (document: Document) => [...free.map((field) => document[field] ?? null), document._id]
  return (one, other) => sign * compareKeys(keyOf(one), keyOf(other))
}
