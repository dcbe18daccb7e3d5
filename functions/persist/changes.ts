import { changeRecord, type DocumentChange } from '#core/changes.ts'
import { eventId } from '#core/collections.ts'
import { followedCollections } from '#core/registry.ts'
import type { DecideDomain, Document, Event } from '#domains/domain.ts'

/**
 * A record for each document that a commit changes and a live query follows. No other commit inserts the first event of this one, whose
 * id makes those of the records unique.
 */
export function changeRecords(domain: DecideDomain, changed: DocumentChange[], [first]: Event[]): Document[] {
  const followed = followedCollections(domain)
  if (!first || followed.size === 0) return []
  return changed
    .filter(({ collection }) => followed.has(collection))
    .flatMap((change, at) => changeRecord(`${eventId(domain.name, first)}.${at}`, change) ?? [])
}
