import { streamKey } from '#core/collections.ts'
import type { DecideDomain, Document, Event, View } from '#domains/domain.ts'
import type { Evidence } from './simulate.ts'

/** A document as an event of its stream left it. */
interface State {
  stream: string
  at: number
  document: Document | undefined
}

export interface Past {
  /**
   * What a command of this stream may have seen of a document of another one, if it was appended and settled then: what was
   * there at some moment in between. Undefined for a document of its own stream, and for one that never was.
   */
  seen(collection: string, id: string, stream: string, from: number, to: number): (Document | undefined)[] | undefined
  /** When the outcome of a command was there for all to see. */
  settled(id: string): number
}

/** When the documents of a domain were what: its events in the order in which they were committed. */
export function pastOf({ replicas }: Evidence, domain: DecideDomain): Past {
  const states = new Map<string, State[]>()
  const settled = new Map<string, number>()
  const view: View = { get: (collection, id) => states.get(`${collection} ${id}`)?.at(-1)?.document }
  for (const { name, id, text, at } of replicas.inserts) {
    if (name === 'receipts' && !settled.has(id)) settled.set(id, at)
    if (name !== 'events') continue
    const { key, ...event } = JSON.parse(text) as Event & { key: string }
    const { stream } = event
    if (key !== streamKey(domain.name, stream)) continue
    for (const change of domain.project(event, view)) {
      const isGone = 'remove' in change
      const place = `${change.collection} ${isGone ? change.remove : change.document._id}`
      const state = { stream, at, document: isGone ? undefined : change.document }
      states.set(place, [...(states.get(place) ?? []), state])
    }
  }
  return {
    seen(collection, id, stream, from, to) {
      const all = states.get(`${collection} ${id}`)
      if (!all || all[0]?.stream === stream) return undefined
      const before = all.findLast(({ at }) => at < from)?.document
      return [before, ...all.filter(({ at }) => at >= from && at <= to).map(({ document }) => document)]
    },
    settled: (id) => settled.get(id) ?? Number.POSITIVE_INFINITY,
  }
}
