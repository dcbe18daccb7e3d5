import { streamKey } from '#core/collections.ts'
import type { DecideDomain, Document, DocumentReader, Event } from '#domains/domain.ts'
import type { Evidence } from './simulate.ts'

/** A document after an event of its stream. */
interface State {
  stream: string
  at: number
  document: Document | undefined
}

export interface Timeline {
  /**
   * The states of another stream's document that a command may have seen between its append and its outcome. Undefined for a
   * document of its own stream, and for one that never existed.
   */
  visible(
    collection: string,
    id: string,
    stream: string,
    from: number,
    to: number,
  ): (Document | undefined)[] | undefined
  /** The time at which the outcome of a command was visible. */
  settled(id: string): number
}

/** The states of a domain's documents over time, from its events in the order of their commits. */
export function timelineOf({ replicas }: Evidence, domain: DecideDomain): Timeline {
  const states = new Map<string, State[]>()
  const settled = new Map<string, number>()
  const view: DocumentReader = { get: (collection, id) => states.get(`${collection} ${id}`)?.at(-1)?.document }
  for (const { name, id, text, at } of replicas.inserts) {
    if (name === 'receipts' && !settled.has(id)) settled.set(id, at)
    if (name !== 'events') continue
    const { key, ...event } = JSON.parse(text) as Event & { key: string }
    const { stream } = event
    if (key !== streamKey(domain.name, stream)) continue
    for (const change of domain.project(event, view)) {
      const isGone = 'remove' in change
      const key = `${change.collection} ${isGone ? change.remove : change.document._id}`
      const state = { stream, at, document: isGone ? undefined : change.document }
      states.set(key, [...(states.get(key) ?? []), state])
    }
  }
  return {
    visible(collection, id, stream, from, to) {
      const all = states.get(`${collection} ${id}`)
      if (!all || all[0]?.stream === stream) return undefined
      const before = all.findLast(({ at }) => at < from)?.document
      return [before, ...all.filter(({ at }) => at >= from && at <= to).map(({ document }) => document)]
    },
    settled: (id) => settled.get(id) ?? Number.POSITIVE_INFINITY,
  }
}
