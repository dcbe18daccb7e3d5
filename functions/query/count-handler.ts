import { tagged } from '#core/etag.ts'
import { compareKeys } from '#core/indexes.ts'
import { Problem } from '#core/problem.ts'
import { type Count, type Counted, TooManyGroups } from '#core/store.ts'
import type { Domain } from '#domains/domain.ts'
import type { CountQuery, Group } from '#domains/query.ts'
import { askedOf, collectionOf, type QueryHandler, type QueryParts, type QueryRequest } from './handler.ts'
import { indexScanOf } from './index-scan.ts'

const MAX_GROUPS = 10_000

/** Answers the number of documents in each group. */
export function countHandler({ store }: QueryParts, domain: Domain, query: CountQuery): QueryHandler {
  const collection = collectionOf(domain, query)

  async function countGroups(by: Group[], queryRequest: QueryRequest): Promise<Counted[]> {
    const { index, filters, range } = indexScanOf(collection, query, queryRequest)
    const count = { index, by, limit: MAX_GROUPS, ...(range ? { range } : {}) } satisfies Count
    const counts = await Promise.all(filters.map((where) => store.count(collection, { ...count, where })))
    return counts.length === 1 ? (counts[0] as Counted[]) : addUp(counts.flat())
  }

  return async (queryRequest) => {
    const by = query.by(queryRequest.params, queryRequest.caller)
    const fields = by.map(({ field }) => field)
    const groups = await countGroups(by, queryRequest).catch(refuseTooManyGroups)
    const asked = askedOf(queryRequest)
    const items = groups.map(({ key, count }) =>
      query.shape(Object.fromEntries(fields.map((field, at) => [field, key[at] ?? null])), count, asked),
    )
    return tagged(queryRequest.request, { items })
  }
}

/** The groups with each key once, sorted by key. */
function addUp(groups: Counted[]): Counted[] {
  const totals = new Map<string, Counted>()
  for (const { key, count } of groups) {
    const name = JSON.stringify(key)
    totals.set(name, { key, count: count + (totals.get(name)?.count ?? 0) })
  }
  return [...totals.values()].toSorted((one, other) => compareKeys(one.key, other.key))
}

function refuseTooManyGroups(error: unknown): never {
  if (!(error instanceof TooManyGroups)) throw error
  const detail = `The answer has more than ${MAX_GROUPS} groups. Ask for a shorter range or for larger groups.`
  throw new Problem(400, 'Too many groups', detail, { cause: error })
}
