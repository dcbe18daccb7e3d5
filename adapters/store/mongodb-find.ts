import type { Document as Bson, Collection } from 'mongodb'
import type { Document, Fields } from '#domains/domain.ts'
import { type Find, fieldsOf, type StoredCollection, scalar } from './store.ts'
import { type Stored, withoutAt } from './stored.ts'

export async function findIn(to: Collection<Stored>, collection: StoredCollection, query: Find): Promise<Document[]> {
  const { index, where = {}, after, newestFirst, limit } = query
  const fields = fieldsOf(collection, index)
  const direction = newestFirst ? -1 : 1
  const sort = Object.fromEntries([...fields, '_id'].map((field) => [field, direction] as const))
  const equal = Object.fromEntries(Object.entries(where).map(([field, value]) => [field, scalar(value)]))
  const filter = after ? { $and: [equal, behind(fields, after, newestFirst)] } : equal
  return (await to
    .find(filter as Bson, withoutAt)
    .sort(sort)
    .limit(limit)
    .toArray()) as Document[]
}

/** Everything behind `last` in the order of the fields and `_id`. MongoDB finds nothing greater or less than null. */
function behind(fields: string[], last: Fields, newestFirst = false): Bson {
  const all = [...fields, '_id'].map((field) => [field, scalar(last[field] ?? null)] as const)
  const ranges = all.flatMap(([field, value], at): Bson[] => {
    const equal = Object.fromEntries(all.slice(0, at))
    if (value === null) return newestFirst ? [] : [{ ...equal, [field]: { $ne: null } }]
    if (!newestFirst) return [{ ...equal, [field]: { $gt: value } }]
    const lower = { ...equal, [field]: { $lt: value } }
    return field === '_id' ? [lower] : [lower, { ...equal, [field]: null }]
  })
  return { $or: ranges }
}
