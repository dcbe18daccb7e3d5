import type { AppendDomain, Document, Domain, Event } from '#domains/domain.ts'
import { DAY_MS } from './clock.ts'
import { HORIZON_DAYS } from './log.ts'
import { collectionsOf, followedCollections } from './registry.ts'
import type { StoredCollection } from './store.ts'

const HOUR_SECONDS = 3600
const DAY_SECONDS = DAY_MS / 1000
const HORIZON_SECONDS = HORIZON_DAYS * DAY_SECONDS
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

/** The events of decide domains, kept for ever, by the stream's key and number. */
export const events = { name: 'events', indexes: { stream: { fields: ['key', 'number'] } } } satisfies StoredCollection

/** The name of a stream in heads and events: two domains may use the same name for theirs. */
export const streamKey = (domain: string, stream: string): string => `${domain}:${stream}`

export const eventId = (domain: string, { stream, number }: Event): string => `${streamKey(domain, stream)}#${number}`

/**
 * The changes of documents that live queries follow, in the order of the commits. A client that was away for longer than the expiry
 * must read again.
 */
export const changes = { name: 'liveChanges', indexes: {}, expireAfter: HOUR_SECONDS } satisfies StoredCollection

/** The slots of a document of a view. Each batch adds to one of them. */
const slots = Array.from({ length: 16 }, (_, slot) => `slot-${slot}`)

/** The ids of the slots of a view's document. A view that has one document only has an empty key. */
export const slotIds = (key = ''): string[] => (key === '' ? slots : slots.map((slot) => `${key} ${slot}`))

/** A document of a view as its domain made it, without the generation that persist compares and sets. */
export const withoutGeneration = ({ generation: _, ...document }: Document): Document => document as Document

/**
 * Outcomes, kept for the horizon: every outcome of a decide domain's commands, by command id; of an append domain's only
 * rejections and the ends of letters, by command id and body hash.
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

/**
 * The attempts of commands that failed or did not come back, by command id. The name is not `attempts`, which version 0.1 uses for
 * documents of another shape.
 */
export const attempts = { name: 'attemptCounts', indexes: {}, expireAfter: HORIZON_SECONDS } satisfies StoredCollection

/** The instances of persist that run, or crashed and have not started again, by name. */
export const instances = { name: 'instances', indexes: {}, expireAfter: HORIZON_SECONDS } satisfies StoredCollection

/** The runs that are known to have crashed. */
export const crashedRuns = { name: 'crashedRuns', indexes: {}, expireAfter: HORIZON_SECONDS } satisfies StoredCollection

/** The documents of an append domain's commands, for as long as they are kept. */
export const appended = ({ documents: { collection, retentionDays } }: AppendDomain): StoredCollection =>
  retentionDays === undefined
    ? collection
    : { ...collection, expireAfter: retentionDays * DAY_SECONDS, expireFrom: 'time' }

/** The names that no collection of a domain may have: those of persist and of the store, now and in earlier versions. */
export const reservedNames = (): string[] => [
  ...[letters, heads, events, changes, receipts, discards, redriveProgress, attempts, instances, crashedRuns].map(
    ({ name }) => name,
  ),
  ...['attempts', 'runs', 'tries', 'probes'],
]

export const collections = (domains: Domain[]): StoredCollection[] => [
  ...domains.flatMap((domain) => (domain.kind === 'append' ? [appended(domain)] : collectionsOf(domain))),
  ...(domains.some(({ kind }) => kind === 'decide') ? [heads, events] : []),
  ...(domains.some((domain) => followedCollections(domain).size > 0) ? [changes] : []),
  letters,
  receipts,
  discards,
  redriveProgress,
  attempts,
  instances,
  crashedRuns,
]
