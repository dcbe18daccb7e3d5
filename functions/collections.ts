import { RETENTION_DAYS } from '#adapters/log/log.ts'
import type { StoredCollection } from '#adapters/store/store.ts'
import type { Domain } from '#domains/domain.ts'

const HORIZON_SECONDS = RETENTION_DAYS * 86_400

/** Commands that could not be applied, by command id; listed in order of arrival. */
export const letters = {
  name: 'letters',
  indexes: { arrival: { fields: ['at'] }, domain: { fields: ['domain', 'at'] } },
} satisfies StoredCollection

/** Outcomes that no document tells: rejections, by command id and body hash. Kept for the horizon. */
export const receipts = { name: 'receipts', indexes: {}, expireAfter: HORIZON_SECONDS } satisfies StoredCollection

/** How often a command was tried, by command id. */
export const attempts = { name: 'attempts', indexes: {}, expireAfter: HORIZON_SECONDS } satisfies StoredCollection

/** The instances of persist that are running or have crashed. */
export const runs = { name: 'runs', indexes: {}, expireAfter: HORIZON_SECONDS } satisfies StoredCollection

export const collections = (domains: Domain[]): StoredCollection[] => [
  ...domains.map(({ documents }) => documents.collection),
  letters,
  receipts,
  attempts,
  runs,
]
