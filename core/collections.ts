import type { AppendDomain, Domain } from '#domains/domain.ts'
import { RETENTION_DAYS } from './log.ts'
import { collectionsOf } from './registry.ts'
import type { StoredCollection } from './store.ts'

const DAY_SECONDS = 86_400
export const HORIZON_SECONDS = RETENTION_DAYS * DAY_SECONDS
export const HORIZON_MS = HORIZON_SECONDS * 1000

/** Commands that could not be applied, by command id; listed in order of arrival, numbered within a parked stream. */
export const letters = {
  name: 'letters',
  indexes: { arrival: { fields: ['at'] }, domain: { fields: ['domain', 'at'] }, stream: { fields: ['key', 'number'] } },
} satisfies StoredCollection

/**
 * One for each stream of a decide domain, by its key: its version (the number of its last event), whether it is parked, how
 * many letters it has had, and a generation that every commit to the stream counts up.
 */
export const heads = { name: 'heads', indexes: {} } satisfies StoredCollection

/** What has happened in decide domains, for ever; by the stream's key and number. */
export const events = { name: 'events', indexes: { stream: { fields: ['key', 'number'] } } } satisfies StoredCollection

/** What a stream is called in heads and events: two domains may use the same name for theirs. */
export const streamKey = (domain: string, stream: string): string => `${domain}:${stream}`

/** The documents of a tally; each batch adds to one of them. */
export const slotIds = Array.from({ length: 16 }, (_, slot) => `slot-${slot}`)

/**
 * Outcomes that no document tells: of an append domain's commands only rejections, by command id and body hash; of a decide
 * domain's every outcome, by command id. Kept for the horizon.
 */
export const receipts = { name: 'receipts', indexes: {}, expireAfter: HORIZON_SECONDS } satisfies StoredCollection

/** The domains with discarded letters, by name, for as long as the receipts of the discards are kept. */
export const discards = { name: 'discards', indexes: {}, expireAfter: HORIZON_SECONDS } satisfies StoredCollection

/** The progress of redrives, by the id of their command. */
export const redriveProgress = {
  name: 'redriveProgress',
  indexes: {},
  expireAfter: HORIZON_SECONDS,
} satisfies StoredCollection

/** The attempts of commands that failed or did not come back, by command id. */
export const attempts = { name: 'attempts', indexes: {}, expireAfter: HORIZON_SECONDS } satisfies StoredCollection

/** The instances of persist that run, or crashed and have not started again, by name. */
export const instances = { name: 'instances', indexes: {}, expireAfter: HORIZON_SECONDS } satisfies StoredCollection

/** The runs that are known to have crashed. */
export const crashedRuns = { name: 'crashedRuns', indexes: {}, expireAfter: HORIZON_SECONDS } satisfies StoredCollection

/** What an append domain's commands become, for as long as it is kept. */
export const appended = ({ documents: { collection, retentionDays } }: AppendDomain): StoredCollection =>
  retentionDays === undefined
    ? collection
    : { ...collection, expireAfter: retentionDays * DAY_SECONDS, expireFrom: 'time' }

export const collections = (domains: Domain[]): StoredCollection[] => [
  ...domains.flatMap((domain) => (domain.kind === 'append' ? [appended(domain)] : collectionsOf(domain))),
  ...(domains.some(({ kind }) => kind === 'decide') ? [heads, events] : []),
  letters,
  receipts,
  discards,
  redriveProgress,
  attempts,
  instances,
  crashedRuns,
]
