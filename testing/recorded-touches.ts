import type { DecideDomain, Document, Event, Touch } from '#domains/domain.ts'

/** The documents that the projection of an event reads or changes. */
export function record(
  domain: DecideDomain,
  event: Event,
  documents: { [collection: string]: { [id: string]: Document } },
): Touch[] {
  const touched: Touch[] = []
  const view = {
    get(collection: string, id: string) {
      touched.push({ collection, ids: [id] })
      return documents[collection]?.[id]
    },
  }
  for (const change of domain.project(event, view)) {
    touched.push({ collection: change.collection, ids: ['remove' in change ? change.remove : change.document._id] })
  }
  return touched
}
