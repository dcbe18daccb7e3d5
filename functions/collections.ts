import type { StoredCollection } from '#adapters/store/store.ts'
import type { Domain } from '#domains/domain.ts'

const day = 86_400

/** Commands that could not be applied, by command id; listed in order of arrival. */
export const letters = {
  name: 'letters',
  indexes: { arrival: { fields: ['at'] }, domain: { fields: ['domain', 'at'] } },
} satisfies StoredCollection

/** Outcomes that no document tells: rejections, by command id and body hash. Kept for the horizon. */
export const receipts = (horizonDays: number) =>
  ({ name: 'receipts', indexes: {}, expireAfter: horizonDays * day }) satisfies StoredCollection

/** How often a command was tried, by command id. */
export const attempts = (horizonDays: number) =>
  ({ name: 'attempts', indexes: {}, expireAfter: horizonDays * day }) satisfies StoredCollection

/** The instances of persist that are running or have crashed. */
export const runs = { name: 'runs', indexes: {}, expireAfter: 30 * day } satisfies StoredCollection

export const collections = (domains: Domain[], horizonDays: number): StoredCollection[] => [
  ...domains.map(({ documents }) => documents.collection),
  letters,
  receipts(horizonDays),
  attempts(horizonDays),
  runs,
]
