import type { Document, Index, Json } from '#domains/domain.ts'
import {
  type Count,
  type Counted,
  type Find,
  type Range,
  type Selection,
  type StoredCollection,
  TooManyGroups,
} from './store.ts'

/** The declared index. Throws for an index that is not declared. */
export function indexOf({ name, indexes }: StoredCollection, index: string): Index {
  const found = indexes[index]
  if (!found) throw new Error(`store: collection ${name} has no index ${index}`)
  return found
}

export const fieldsOf = (collection: StoredCollection, index: string): string[] => indexOf(collection, index).fields

export type Scalar = string | number | boolean | null

/** A value that an index compares. Throws for a list or an object, which a store might take for an operator. */
export function scalar(value: Json): Scalar {
  if (value !== null && typeof value === 'object') throw new Error('store: an index compares scalars only')
  return value
}

/** The time that a document's expiry counts from. */
export function countsFrom(document: Document, { expireFrom }: StoredCollection, now: number): number {
  const time = expireFrom === undefined ? undefined : document[expireFrom]
  const from = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(from) ? now : from
}

/** A validated range of an index. The check is here, so that a wrong query fails with every adapter. */
export interface IndexRange {
  /** The fields with fixed values, in the order of the index. */
  equal: [field: string, value: Scalar][]
  /** The fields after those, with `_id` as the last. They are the order of the documents. */
  free: [first: string, ...others: string[]]
  /** The bounds of the first field of `free`. */
  range: Range | undefined
}

/** The range of a page. Throws if the page begins at two positions. */
export function pageRange(collection: StoredCollection, query: Find): IndexRange {
  if (query.after && query.skip) throw new Error(`store: a page of ${collection.name} has either after or skip`)
  return indexRange(collection, query)
}

function indexRange(collection: StoredCollection, { index, where = {}, range }: Selection): IndexRange {
  const { fields, each } = indexOf(collection, index)
  const wanted = Object.keys(where)
  const prefix = fields.slice(0, wanted.length)
  const name = `store: index ${index} of ${collection.name}`
  if (wanted.length > prefix.length || !prefix.every((field) => field in where))
    throw new Error(`${name}: where is not on a prefix of its fields: ${wanted}`)
  if (each !== undefined && (!wanted.includes(each) || where[each] === null))
    throw new Error(`${name} finds by an item of ${each}`)
  const { from, to } = range ?? {}
  for (const bound of [from, to]) scalar(bound ?? null)
  if (from !== undefined && to !== undefined && typeof from !== typeof to)
    throw new Error(`${name}: a range is of one type`)
  const [first = '_id', ...others] = fields.slice(wanted.length)
  return {
    equal: prefix.map((field) => [field, scalar(where[field] as Json)]),
    free: first === '_id' ? [first] : [first, ...others, '_id'],
    range: from === undefined && to === undefined ? undefined : { ...range },
  }
}

/** The range of a count. Throws if it groups by a list, since a list cannot be a key. */
export function countedRange(collection: StoredCollection, query: Count): IndexRange {
  const { each } = indexOf(collection, query.index)
  if (query.by.some(({ field }) => field === each)) throw new Error(`store: ${collection.name} groups by scalars only`)
  return indexRange(collection, query)
}

/** The groups sorted by key. Throws `TooManyGroups` if there are more than the limit. */
export function sorted(groups: Counted[], query: Count): Counted[] {
  if (groups.length > query.limit) throw new TooManyGroups(query)
  return groups.toSorted((a, b) => compareKeys(a.key, b.key))
}

/** The order of two keys: null before numbers before text. Text is in the order of its UTF-8 bytes, unlike JavaScript's. */
export function compareKeys(a: Json[], b: Json[]): number {
  for (const [at, value] of a.entries()) {
    const order = compare(value, b[at] ?? null)
    if (order !== 0) return order
  }
  return 0
}

function compare(a: Json, b: Json): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return rank(a) - rank(b) || Number(a) - Number(b)
}

const rank = (value: Json): number => (value === null ? 0 : typeof value === 'string' ? 2 : 1)
