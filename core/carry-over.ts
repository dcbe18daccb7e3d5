import type { Domain } from '#domains/domain.ts'
import { discards, HORIZON_SECONDS } from './collections.ts'
import type { Store } from './store.ts'

/** Where version 0.1 kept attempts, and the domains with discarded letters among them. */
const ATTEMPTS_OF_0_1 = { name: 'tries', indexes: {}, expireAfter: HORIZON_SECONDS }

/** Copies the marks of discards that version 0.1 made, so that a discarded command stays discarded. Safe to repeat. */
export async function carryOverDiscards(store: Store, domains: Domain[]): Promise<void> {
  await store.prepare([ATTEMPTS_OF_0_1])
  const nameOf = new Map(domains.map(({ name }) => [`discards of ${name}`, name]))
  const marks = await store.get(ATTEMPTS_OF_0_1, [...nameOf.keys()])
  if (marks.size === 0) return
  await store.insert(
    discards,
    [...marks.keys()].map((mark) => ({ _id: String(nameOf.get(mark)) })),
  )
}
