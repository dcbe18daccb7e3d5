import { ResumeLost, type Store, type StoredCollection } from '#core/store.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'
import { type Broadcast, broadcastTo, type Listener } from './broadcast.ts'
import { type CatchUp, turnsOf } from './turns.ts'

export interface Feeds {
  /** From now on, or from after `place`. Turns at the store are dealt out by `caller`. Leaves when the result is called. */
  join(collection: StoredCollection, place: string | undefined, listener: Listener, caller: string): () => void
}

/** Listeners of one caller that are behind, all at one place. */
interface Group extends CatchUp {
  place: string
  listeners: Set<Listener>
  stop: AbortController
}

/** The inserts that one turn reads at most. */
const TURN = 200

/** Each collection has one shared watch, and turns for those who are behind. */
export function feedsOf(store: Pick<Store, 'watch'>, telemetry: Telemetry): Feeds {
  const all = new Map<string, ReturnType<typeof feedOf>>()
  return {
    join(collection, place, listener, caller) {
      const feed = all.get(collection.name) ?? feedOf(store, collection, telemetry)
      all.set(collection.name, feed)
      return feed.join(place, listener, caller)
    },
  }
}

/**
 * Listeners that are behind read the store in turns, until they reach what the shared watch still has in memory. A turn takes
 * along every listener whose place it passes. A listener that has read all there was waits for the next insert of the shared
 * watch, since places can't be compared: only a common one proves that the two have met.
 */
function feedOf(store: Pick<Store, 'watch'>, collection: StoredCollection, telemetry: Telemetry) {
  let shared: Broadcast | undefined
  const groups = new Set<Group>()
  const lost = new WeakSet<Listener>()
  const turns = turnsOf()

  function open(listeners: Listener[]): void {
    shared = broadcastTo(listeners)
    void follow(shared)
  }

  async function follow(feed: Broadcast): Promise<void> {
    const { signal } = feed.stop
    try {
      const onBegun = (place: string) => begin(feed, place)
      for await (const inserted of store.watch(collection, { signal, onBegun })) {
        if (signal.aborted) return
        begin(feed, undefined)
        feed.push(inserted)
        wake()
      }
      if (!signal.aborted) endAll(feed)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof ResumeLost) return startOver(feed)
      report(error, telemetry)
      endAll(feed)
    }
  }

  function begin(feed: Broadcast, place: string | undefined): void {
    if (feed.hasBegun()) return
    feed.begin(place)
    for (const listener of feed.listeners) listener.begun(place, lost.delete(listener))
    wake()
  }

  /** Groups that had read all there was have something to read again. */
  function wake(): void {
    if (groups.size === 0) return
    for (const group of groups) group.isWaiting = false
    next()
  }

  function next(): void {
    for (const group of groups) if (!group.isReading && shared?.knows(group.place)) handOverToShared(group)
    for (let group = turns.next(groups); group; group = turns.next(groups)) void read(group)
  }

  /** One turn of a group. */
  async function read(group: Group): Promise<void> {
    const { place: resume, stop } = group
    const { signal } = stop
    const hadBegun = shared?.hasBegun()
    group.isReading = true
    pickUp(group)
    let count = 0
    try {
      for await (const inserted of store.watch(collection, { resume, signal, untilNow: true })) {
        if (signal.aborted) break
        group.place = inserted.resume
        for (const listener of group.listeners) listener.inserted(inserted)
        pickUp(group)
        if (++count === TURN || shared?.knows(group.place)) break
      }
      // What was inserted between the end of this read and a later beginning of the shared watch needs another read.
      group.isWaiting = count < TURN && hadBegun === shared?.hasBegun()
    } catch (error) {
      refuse(group, error)
    }
    group.isReading = false
    if (group.listeners.size === 0) groups.delete(group)
    closeIfUnused()
    next()
  }

  /** Takes over the listeners that wait at the place at which this group is. */
  function pickUp(group: Group): void {
    for (const other of groups) {
      if (other.isReading || other.place !== group.place) continue
      for (const listener of other.listeners) group.listeners.add(listener)
      groups.delete(other)
    }
  }

  function handOverToShared(group: Group): void {
    groups.delete(group)
    for (const listener of group.listeners) shared?.subscribe(group.place, listener)
  }

  function refuse({ listeners, stop }: Group, error: unknown): void {
    if (stop.signal.aborted) return
    const refused = [...listeners]
    listeners.clear()
    if (error instanceof ResumeLost) for (const listener of refused) joinNow(listener, true)
    else {
      report(error, telemetry)
      for (const listener of refused) listener.ended()
    }
  }

  /** The shared watch has lost its place: what comes from now on has a gap before it. */
  function startOver({ listeners }: Broadcast): void {
    shared = undefined
    for (const listener of listeners) joinNow(listener, true)
    if (groups.size > 0 && !shared) open([])
  }

  function endAll({ listeners }: Broadcast): void {
    shared = undefined
    const all = [listeners, ...[...groups].map((group) => group.listeners)].flatMap((some) => [...some])
    for (const group of groups) abandon(group)
    for (const listener of all) listener.ended()
  }

  /** A group that is reading counts as one until its read has ended. */
  function abandon(group: Group): void {
    group.listeners.clear()
    group.stop.abort()
    if (!group.isReading) groups.delete(group)
  }

  function closeIfUnused(): void {
    if (!shared || shared.listeners.size > 0 || groups.size > 0) return
    shared.stop.abort()
    shared = undefined
  }

  function joinNow(listener: Listener, isReset = false): void {
    if (isReset) lost.add(listener)
    if (!shared) return void open([listener])
    shared.listeners.add(listener)
    if (shared.hasBegun()) listener.begun(shared.place(), lost.delete(listener))
  }

  function joinFrom(place: string, listener: Listener, caller: string): void {
    if (!shared) open([])
    const isSame = (group: Group) => group.place === place && group.caller === caller && !group.stop.signal.aborted
    const group = [...groups].find(isSame)
    if (shared?.knows(place)) shared.subscribe(place, listener)
    else if (group) group.listeners.add(listener)
    else {
      const made = { caller, place, turns: 0, isReading: false, isWaiting: false }
      groups.add({ ...made, listeners: new Set([listener]), stop: new AbortController() })
      next()
    }
  }

  function leave(listener: Listener): void {
    shared?.listeners.delete(listener)
    for (const group of groups) if (group.listeners.delete(listener) && group.listeners.size === 0) abandon(group)
    closeIfUnused()
  }

  return {
    join(place: string | undefined, listener: Listener, caller: string) {
      if (place === undefined) joinNow(listener)
      else joinFrom(place, listener, caller)
      return () => leave(listener)
    },
  }
}

function report(error: unknown, { logger, metrics }: Telemetry): void {
  const isOutage = error instanceof Unavailable
  metrics.failed(isOutage ? 'store' : 'bug')
  if (isOutage) logger.warn({ err: error }, 'a watch broke off')
  else logger.error({ err: error }, 'a watch failed')
}
