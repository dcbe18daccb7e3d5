import { ResumeLost, type Store, type StoredCollection } from '#core/store.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { type Broadcast, type Listener, newBroadcast } from './broadcast.ts'
import { abandon, closeIfUnused, type Feed, joinBehind, reportWatch, wake } from './catch-up.ts'
import { readTurns } from './read-turns.ts'

/** The inserts of collections, passed on to any number of listeners. */
export interface Feeds {
  /** Adds a listener, from now on or from `position`, and returns how it leaves. A caller's listeners share its read turns. */
  join(collection: StoredCollection, position: string | undefined, listener: Listener, caller: string): () => void
}

/**
 * Each collection has one shared watch. Listeners that are behind read the store in turns until they reach the inserts that the
 * shared watch has in memory. A listener that has read everything waits for the next insert of the shared watch: positions
 * cannot be compared, so only a common one proves that the two have met.
 */
export function feedsOf(store: Pick<Store, 'watch'>, telemetry: Telemetry): Feeds {
  const feeds = new Map<string, Feed>()

  function feedOf(collection: StoredCollection): Feed {
    const known = feeds.get(collection.name)
    if (known) return known
    const watch: Feed['watch'] = (options) => store.watch(collection, options)
    const feed: Feed = { watch, telemetry, shared: undefined, groups: new Set(), turns: readTurns() }
    feeds.set(collection.name, feed)
    return feed
  }

  return {
    join(collection, position, listener, caller) {
      const feed = feedOf(collection)
      const shared = feed.shared ?? openShared(feed)
      if (position === undefined) shared.join(listener, false)
      else if (shared.knows(position)) shared.subscribe(position, listener)
      else joinBehind(feed, position, listener, caller)
      return () => leave(feed, listener)
    },
  }
}

function leave(feed: Feed, listener: Listener): void {
  feed.shared?.leave(listener)
  for (const group of feed.groups) {
    if (group.listeners.delete(listener) && group.listeners.size === 0) abandon(feed, group)
  }
  closeIfUnused(feed)
}

function openShared(feed: Feed): Broadcast {
  const shared = newBroadcast()
  feed.shared = shared
  void follow(feed, shared)
  return shared
}

/** Passes on the inserts of the shared watch. */
async function follow(feed: Feed, shared: Broadcast): Promise<void> {
  const { signal } = shared.stop
  const begin = (position: string | undefined) => {
    if (shared.hasBegun()) return
    shared.begin(position)
    wake(feed)
  }
  try {
    for await (const inserted of feed.watch({ signal, onBegun: begin })) {
      if (signal.aborted) return
      begin(undefined)
      shared.push(inserted)
      wake(feed)
    }
    if (!signal.aborted) endAll(feed, shared)
  } catch (error) {
    if (signal.aborted) return
    if (error instanceof ResumeLost) return resetAll(feed, shared)
    reportWatch(error, feed.telemetry)
    endAll(feed, shared)
  }
}

/** Opens a new shared watch after one that lost its position: its listeners have missed inserts. */
function resetAll(feed: Feed, lost: Broadcast): void {
  const shared = openShared(feed)
  for (const listener of lost.listeners()) shared.join(listener, true)
}

/** Ends all listeners, since the shared watch has ended. */
function endAll(feed: Feed, shared: Broadcast): void {
  feed.shared = undefined
  const all = [...shared.listeners(), ...[...feed.groups].flatMap((group) => [...group.listeners])]
  for (const group of feed.groups) abandon(feed, group)
  for (const listener of all) listener.ended()
}
