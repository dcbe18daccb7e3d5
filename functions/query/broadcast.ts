import type { Inserted } from '#core/store.ts'

/** A client that wants to hear what is inserted. It is told in order, and nothing after `ended`. */
export interface Listener {
  /** It hears everything behind this place, or everything that it is told from now on; `isReset`: not what follows its own place. */
  begun(place: string | undefined, isReset: boolean): void
  inserted(inserted: Inserted): void
  /** The watch broke off: come again, with the last place. */
  ended(): void
}

/** A client that comes again within so many inserts needs no read of the store. */
const MOST_RECENT = 500

export type Broadcast = ReturnType<typeof broadcastTo>

/** What is inserted now, told to all who listen. The last inserts are kept in memory for those who come again. */
export function broadcastTo(first: Iterable<Listener>) {
  const listeners = new Set(first)
  /** By their places; all that came behind `from`, unless `isCut`. */
  const recent = new Map<string, Inserted>()
  let from: string | undefined
  let hasBegun = false
  let isCut = false

  const isStart = (place: string): boolean => place === from && !isCut

  return {
    listeners,
    stop: new AbortController(),
    hasBegun: () => hasBegun,
    /** What follows this place is in memory. */
    knows: (place: string): boolean => hasBegun && (recent.has(place) || isStart(place)),
    /** Where it stands, if that is known. */
    place: (): string | undefined => [...recent.keys()].at(-1) ?? from,
    begin(place: string | undefined): void {
      hasBegun = true
      from = place
    },
    push(inserted: Inserted): void {
      recent.set(inserted.resume, inserted)
      for (const listener of listeners) listener.inserted(inserted)
      const [oldest] = recent.size > MOST_RECENT ? recent.keys() : []
      if (oldest !== undefined) isCut = recent.delete(oldest)
    },
    /** From a place that it knows. */
    subscribe(place: string, listener: Listener): void {
      let isBehind = isStart(place)
      for (const inserted of recent.values()) {
        if (isBehind) listener.inserted(inserted)
        isBehind ||= inserted.resume === place
      }
      listeners.add(listener)
    },
  }
}
