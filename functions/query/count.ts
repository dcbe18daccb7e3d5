import { tagged } from '#core/etag.ts'
import { compareKeys } from '#core/index-range.ts'
import { Problem } from '#core/problem.ts'
import { type Count, type Counted, TooManyGroups } from '#core/store.ts'
import type { Domain, Fields } from '#domains/domain.ts'
import type { CountQuery } from '#domains/query.ts'
import { type Answering, collectionOf, type Parts } from './answer.ts'
import { listOf } from './list.ts'

const MOST_GROUPS = 10_000

/** How many documents there are of each group. */
export function count({ store }: Parts, domain: Domain, query: CountQuery): Answering {
  const collection = collectionOf(domain, query)

  async function counted(params: Fields): Promise<Counted[]> {
    const { index, wheres, range } = listOf(collection, query, params)
    const by = query.by(params)
    const asked = { index, by, limit: MOST_GROUPS, ...(range ? { range } : {}) } satisfies Count
    const parts = await Promise.all(wheres.map((where) => store.count(collection, { ...asked, where })))
    return parts.length === 1 ? (parts[0] as Counted[]) : added(parts.flat())
  }

  return async ({ request, params }) => {
    const fields = query.by(params).map(({ field }) => field)
    const groups = await counted(params).catch(tooMany)
    const items = groups.map(({ key, count }) =>
      query.shape(Object.fromEntries(fields.map((field, at) => [field, key[at] ?? null])), count),
    )
    return tagged(request, { items })
  }
}

/** Groups that several parts have are one. */
function added(groups: Counted[]): Counted[] {
  const all = new Map<string, Counted>()
  for (const { key, count } of groups) {
    const name = JSON.stringify(key)
    all.set(name, { key, count: count + (all.get(name)?.count ?? 0) })
  }
  return [...all.values()].toSorted((one, other) => compareKeys(one.key, other.key))
}

function tooMany(error: unknown): never {
  if (!(error instanceof TooManyGroups)) throw error
  const detail = `There are more than ${MOST_GROUPS} groups. Ask for less at once.`
  throw new Problem(400, 'Too many groups', detail, { cause: error })
}
