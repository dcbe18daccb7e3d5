import { type Inserted, ResumeLost, type Store, type StoredCollection } from '#adapters/store/store.ts'
import { logger } from '#adapters/telemetry/logger.ts'
import { failed } from '#adapters/telemetry/metrics.ts'
import { Unavailable } from '#adapters/unavailable.ts'

/** One who wants to hear what is inserted. It is told in order, and nothing after `ended`. */
export interface Listener {
  /** It hears everything behind this place, or everything that it is told from now on; `isReset`: not what follows its own place. */
  begun(place: string | undefined, isReset: boolean): void
  inserted(inserted: Inserted): void
  /** The watch broke off: come again, with the last place. */
  ended(): void
}

export interface Feeds {
  /** From now on, or from after `place`. Leaves when what it gives back is called. */
  join(collection: StoredCollection, place: string | undefined, listener: Listener): () => void
}

/** A watch, and those who listen to it. */
interface Feed {
  /** Where it began, if that is known. */
  from: string | undefined
  /** Whether it gives what is inserted now: it did not begin further back, or has met one that did not. */
  isCurrent: boolean
  hasBegun: boolean
  /** The last that were inserted, by their places, behind `from` unless `isCut`. */
  recent: Map<string, Inserted>
  isCut: boolean
  listeners: Set<Listener>
  stop: AbortController
}

/** What a client that comes again may have missed without another watch. */
const MOST_RECENT = 500
/** Watches of a collection from further back; each holds a connection to the store. */
const MOST_BEHIND = 2

/**
 * One watch of a collection for all who listen. Who comes with a place that is among the recent inserts goes on from there;
 * one that is further behind has a watch from there, shared with those at the same place, until it meets another one: then
 * its listeners change over. Few may be behind at a time; others wait for their turn, or until one of these passes their place.
 */
export function feedsOf(store: Pick<Store, 'watch'>): Feeds {
  const all = new Map<string, Feed[]>()
  const waiting = new Map<string, Map<string, Set<Listener>>>()
  const lost = new WeakSet<Listener>()
  const at = <Value>(map: Map<string, Value>, name: string, made: Value): Value => {
    const value = map.get(name) ?? made
    map.set(name, value)
    return value
  }
  const feedsOn = ({ name }: StoredCollection) => at(all, name, [])
  const waitingFor = ({ name }: StoredCollection) => at(waiting, name, new Map<string, Set<Listener>>())

  function open(collection: StoredCollection, place: string | undefined, listeners: Iterable<Listener>): void {
    const stop = new AbortController()
    const isCurrent = place === undefined
    const feed = { from: place, isCurrent, hasBegun: !isCurrent, recent: new Map(), isCut: false, stop }
    const made: Feed = { ...feed, listeners: new Set(listeners) }
    feedsOn(collection).push(made)
    void follow(collection, made)
  }

  async function follow(collection: StoredCollection, feed: Feed): Promise<void> {
    const { from: resume, stop } = feed
    const options = { signal: stop.signal, onBegun: (place: string) => begin(feed, place) }
    try {
      for await (const inserted of store.watch(collection, resume === undefined ? options : { ...options, resume })) {
        if (stop.signal.aborted) return
        take(collection, feed, inserted)
      }
      if (!stop.signal.aborted) close(collection, feed, (listener) => listener.ended())
    } catch (error) {
      if (stop.signal.aborted) return
      if (!(error instanceof ResumeLost)) tell(error)
      close(collection, feed, (listener) => {
        const isLost = error instanceof ResumeLost
        if (isLost) lost.add(listener)
        if (isLost) joinNow(collection, listener)
        else listener.ended()
      })
    }
  }

  function begin(feed: Feed, place: string | undefined): void {
    if (feed.hasBegun) return
    feed.hasBegun = true
    feed.from = place
    for (const listener of feed.listeners) listener.begun(place, lost.delete(listener))
  }

  function take(collection: StoredCollection, feed: Feed, inserted: Inserted): void {
    const { resume } = inserted
    begin(feed, undefined)
    feed.recent.set(resume, inserted)
    for (const listener of feed.listeners) listener.inserted(inserted)
    const [oldest] = feed.recent.size > MOST_RECENT ? feed.recent.keys() : []
    if (oldest !== undefined) feed.isCut = feed.recent.delete(oldest)
    const here = waitingFor(collection)
    for (const listener of here.get(resume) ?? []) feed.listeners.add(listener)
    here.delete(resume)
    const other = feedsOn(collection).find((other) => other !== feed && other.recent.has(resume))
    if (other) changeOver(collection, feed, other, resume)
  }

  function changeOver(collection: StoredCollection, feed: Feed, to: Feed, place: string): void {
    to.isCurrent ||= feed.isCurrent
    close(collection, feed, (listener) => enter(to, place, listener))
  }

  /** Gives what it has behind a place that it knows, and all that comes. */
  function enter(feed: Feed, place: string, listener: Listener): void {
    let isBehind = place === feed.from
    for (const inserted of feed.recent.values()) {
      if (isBehind) listener.inserted(inserted)
      isBehind ||= inserted.resume === place
    }
    feed.listeners.add(listener)
  }

  function close(collection: StoredCollection, feed: Feed, each: (listener: Listener) => void): void {
    const feeds = feedsOn(collection)
    feeds.splice(feeds.indexOf(feed), 1)
    feed.stop.abort()
    for (const listener of feed.listeners) each(listener)
    feed.listeners.clear()
    next(collection)
  }

  /** The turn of those who wait. */
  function next(collection: StoredCollection): void {
    const here = waitingFor(collection)
    for (const [place, listeners] of here) {
      if (feedsOn(collection).filter(({ isCurrent }) => !isCurrent).length >= MOST_BEHIND) return
      here.delete(place)
      open(collection, place, listeners)
    }
  }

  function joinFrom(collection: StoredCollection, place: string, listener: Listener): void {
    const isKnown = ({ from, isCut, recent }: Feed) => (place === from && !isCut) || recent.has(place)
    const feed = feedsOn(collection).find(isKnown)
    if (feed) enter(feed, place, listener)
    else at(waitingFor(collection), place, new Set<Listener>()).add(listener)
    next(collection)
  }

  function joinNow(collection: StoredCollection, listener: Listener): void {
    const feed = feedsOn(collection).find(({ isCurrent }) => isCurrent)
    feed?.listeners.add(listener)
    if (!feed) open(collection, undefined, [listener])
    else if (feed.hasBegun) listener.begun([...feed.recent.keys()].at(-1) ?? feed.from, lost.delete(listener))
  }

  return {
    join(collection, place, listener) {
      if (place === undefined) joinNow(collection, listener)
      else joinFrom(collection, place, listener)
      return () => {
        for (const [place, listeners] of waitingFor(collection)) {
          if (listeners.delete(listener) && listeners.size === 0) waitingFor(collection).delete(place)
        }
        for (const feed of [...feedsOn(collection)]) {
          if (feed.listeners.delete(listener) && feed.listeners.size === 0) close(collection, feed, () => {})
        }
      }
    },
  }
}

function tell(error: unknown): void {
  const isOutage = error instanceof Unavailable
  failed(isOutage ? 'store' : 'bug')
  if (isOutage) logger.warn({ err: error }, 'a watch broke off')
  else logger.error({ err: error }, 'a watch failed')
}
