import type { Inserted } from '#core/store.ts'

/** A client of a live query. It gets inserts in order, and nothing after `ended`. */
export interface Listener {
  /** The listener misses nothing after `position`. `isReset` is true if it misses inserts between its own position and this one. */
  begun(position: string | undefined, isReset: boolean): void
  inserted(inserted: Inserted): void
  /** The watch failed. The client is to reconnect with its last position. */
  ended(): void
}

/** The number of inserts in memory: a client that reconnects within them needs no read of the store. */
const MAX_RECENT = 500

export type Broadcast = ReturnType<typeof newBroadcast>

/** The inserts of one watch, passed on to all listeners. The latest inserts stay in memory for listeners that are behind. */
export function newBroadcast() {
  const listeners = new Set<Listener>()
  /** The listeners that have missed inserts and wait for the beginning. */
  const resets = new Set<Listener>()
  /** The latest inserts by position: all inserts after `start`, unless `isCut`. */
  const recent = new Map<string, Inserted>()
  let start: string | undefined
  let hasBegun = false
  let isCut = false

  const isStart = (position: string): boolean => position === start && !isCut
  const latest = (): string | undefined => [...recent.keys()].at(-1) ?? start

  return {
    stop: new AbortController(),
    listeners: (): Listener[] => [...listeners],
    isUnused: () => listeners.size === 0,
    hasBegun: () => hasBegun,
    /** True when all inserts after the position are in memory. */
    knows: (position: string): boolean => hasBegun && (recent.has(position) || isStart(position)),
    /** Marks the beginning of the watch, after which it misses nothing. */
    begin(position: string | undefined): void {
      hasBegun = true
      start = position
      for (const listener of listeners) listener.begun(position, resets.delete(listener))
    },
    push(inserted: Inserted): void {
      recent.set(inserted.resume, inserted)
      for (const listener of listeners) listener.inserted(inserted)
      const [oldest] = recent.size > MAX_RECENT ? recent.keys() : []
      if (oldest !== undefined) isCut = recent.delete(oldest)
    },
    /** Adds a listener from now on. */
    join(listener: Listener, isReset: boolean): void {
      listeners.add(listener)
      if (hasBegun) listener.begun(latest(), isReset)
      else if (isReset) resets.add(listener)
    },
    /** Adds a listener from a position that the broadcast knows. */
    subscribe(position: string, listener: Listener): void {
      let isAfter = isStart(position)
      for (const inserted of recent.values()) {
        if (isAfter) listener.inserted(inserted)
        isAfter ||= inserted.resume === position
      }
      listeners.add(listener)
    },
    leave(listener: Listener): void {
      listeners.delete(listener)
      resets.delete(listener)
    },
  }
}
