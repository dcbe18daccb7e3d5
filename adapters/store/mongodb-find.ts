import type { Document as Bson, Collection } from 'mongodb'
import { countedRange, type IndexRange, pageRange, scalar, sorted } from '#core/indexes.ts'
import type { Count, Counted, Find, Group, StoredCollection } from '#core/store.ts'
import type { Document, Fields } from '#domains/domain.ts'
import { type StoredDocument, WITH_STRING_ID, withoutExpiryStart } from './mongodb-document.ts'

/** Sorts by the fields that `where` leaves free. MongoDB would sort a list by its least item, not by the selected one. */
export async function findIn(
  to: Collection<StoredDocument>,
  collection: StoredCollection,
  query: Find,
): Promise<Document[]> {
  const { after, newestFirst = false, skip = 0, limit } = query
  const part = pageRange(collection, query)
  const direction = newestFirst ? (-1 as const) : (1 as const)
  const sort = Object.fromEntries(part.free.map((field) => [field, direction]))
  const filter = { $and: [matching(part), WITH_STRING_ID, ...(after ? [behind(part, after, newestFirst)] : [])] }
  return (await to
    .find(filter as Bson, withoutExpiryStart)
    .sort(sort)
    .skip(skip)
    .limit(limit)
    .toArray()) as Document[]
}

export async function countIn(
  to: Collection<StoredDocument>,
  collection: StoredCollection,
  query: Count,
  withinMs: number,
): Promise<Counted[]> {
  const part = countedRange(collection, query)
  const groups = await to
    .aggregate<{ _id: Counted['key']; count: number }>(
      [
        { $match: { $and: [matching(part), WITH_STRING_ID] } },
        ...(query.upTo === undefined ? [] : [{ $limit: query.upTo }]),
        { $group: { _id: query.by.map(keyOf), count: { $sum: 1 } } },
        { $limit: query.limit + 1 },
      ],
      { hint: query.index, maxTimeMS: withinMs },
    )
    .toArray()
  return sorted(
    groups.map(({ _id, count }) => ({ key: _id, count })),
    query,
  )
}

/** In a list of expressions a missing value is null. */
const keyOf = ({ field, length }: Group): Bson | string =>
  length === undefined
    ? `$${field}`
    : { $cond: [{ $eq: [{ $type: `$${field}` }, 'string'] }, { $substrCP: [`$${field}`, 0, length] }, `$${field}`] }

const matching = ({ equal, free: [field], range }: IndexRange): Bson => ({
  ...Object.fromEntries(equal),
  ...(range ? { [field]: bounds(range) } : {}),
})

const bounds = ({ from, to }: NonNullable<IndexRange['range']>): Bson => ({
  ...(from === undefined ? {} : { $gte: from }),
  ...(to === undefined ? {} : { $lt: to }),
})

/** Everything after `last` in the order of the free fields. MongoDB finds nothing greater or less than null. */
function behind({ equal, free, range = {} }: IndexRange, last: Fields, newestFirst: boolean): Bson {
  const keys = free.map((field) => [field, scalar(last[field] ?? null)] as const)
  const stretches = keys.flatMap(([field, value], at): Bson[] => {
    const before = { ...Object.fromEntries(equal), ...Object.fromEntries(keys.slice(0, at)) }
    const { from, to } = at === 0 ? range : {}
    if (value === null) return newestFirst ? [] : [{ ...before, [field]: { $ne: null } }]
    if (!newestFirst) return [{ ...before, [field]: { $gt: value, ...bounds(to === undefined ? {} : { to }) } }]
    const lower = { ...before, [field]: { $lt: value, ...bounds(from === undefined ? {} : { from }) } }
    return field === '_id' ? [lower] : [lower, { ...before, [field]: null }]
  })
  return { $or: stretches }
}
