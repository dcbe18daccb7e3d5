import { type Inserted, ResumeLost, type WatchOptions } from '#core/store.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Broadcast, Listener } from './broadcast.ts'
import type { Reader, ReadTurns } from './read-turns.ts'

/** The listeners of one collection: those of the shared watch, and the groups that are behind it. */
export interface Feed {
  watch(options: WatchOptions): AsyncIterable<Inserted>
  telemetry: Telemetry
  shared: Broadcast | undefined
  groups: Set<Group>
  turns: ReadTurns
}

/** The listeners of one caller that are behind, all at one position. */
export interface Group extends Reader {
  position: string
  listeners: Set<Listener>
  stop: AbortController
}

/** The number of inserts that one turn reads at most. */
const TURN_INSERTS = 200

/** Adds a listener that is behind. */
export function joinBehind(feed: Feed, position: string, listener: Listener, caller: string): void {
  const isSame = (group: Group) => group.position === position && group.caller === caller && !group.stop.signal.aborted
  const group = [...feed.groups].find(isSame)
  if (group) group.listeners.add(listener)
  else {
    const state = { caller, position, turns: 0, isReading: false, isWaiting: false }
    feed.groups.add({ ...state, listeners: new Set([listener]), stop: new AbortController() })
    catchUp(feed)
  }
}

/** Lets groups read again that have read everything, since there is a new insert. */
export function wake(feed: Feed): void {
  if (feed.groups.size === 0) return
  for (const group of feed.groups) group.isWaiting = false
  catchUp(feed)
}

/** Hands over the groups that have reached the shared watch, and deals out turns to the others. */
function catchUp(feed: Feed): void {
  for (const group of feed.groups) {
    if (!group.isReading && feed.shared?.knows(group.position)) handOverToShared(feed, group)
  }
  for (let group = feed.turns.next(feed.groups); group; group = feed.turns.next(feed.groups)) void readTurn(feed, group)
}

function handOverToShared({ shared, groups }: Feed, group: Group): void {
  groups.delete(group)
  for (const listener of group.listeners) shared?.subscribe(group.position, listener)
}

/** Reads the inserts of one turn, and takes along all listeners whose position it passes. */
async function readTurn(feed: Feed, group: Group): Promise<void> {
  const { position: resume, stop } = group
  const { signal } = stop
  const hadBegun = feed.shared?.hasBegun()
  group.isReading = true
  absorb(feed, group)
  let count = 0
  try {
    for await (const inserted of feed.watch({ resume, signal, untilNow: true })) {
      if (signal.aborted) break
      group.position = inserted.resume
      for (const listener of group.listeners) listener.inserted(inserted)
      absorb(feed, group)
      if (++count === TURN_INSERTS || feed.shared?.knows(group.position)) break
    }
    // If the shared watch began meanwhile, there may be inserts between the end of this read and that beginning.
    group.isWaiting = count < TURN_INSERTS && hadBegun === feed.shared?.hasBegun()
  } catch (error) {
    if (!signal.aborted) endTurn(feed, group, error)
  }
  group.isReading = false
  if (group.listeners.size === 0) feed.groups.delete(group)
  closeIfUnused(feed)
  catchUp(feed)
}

/** Takes over the listeners of groups that wait at the position of this group. */
function absorb({ groups }: Feed, group: Group): void {
  for (const other of groups) {
    if (other.isReading || other.position !== group.position) continue
    for (const listener of other.listeners) group.listeners.add(listener)
    groups.delete(other)
  }
}

/** Ends the listeners of a group whose read failed, or resets them if the store no longer knows their position. */
function endTurn({ shared, telemetry }: Feed, { listeners }: Group, error: unknown): void {
  const all = [...listeners]
  listeners.clear()
  if (error instanceof ResumeLost) {
    for (const listener of all) shared?.join(listener, true)
  } else {
    reportWatch(error, telemetry)
    for (const listener of all) listener.ended()
  }
}

/** Removes a group. A group that is reading stays until its read has ended. */
export function abandon({ groups }: Feed, group: Group): void {
  group.listeners.clear()
  group.stop.abort()
  if (!group.isReading) groups.delete(group)
}

/** Stops the shared watch once nobody listens. */
export function closeIfUnused(feed: Feed): void {
  const { shared, groups } = feed
  if (!shared?.isUnused() || groups.size > 0) return
  shared.stop.abort()
  feed.shared = undefined
}

export function reportWatch(error: unknown, { logger, metrics }: Telemetry): void {
  const isOutage = error instanceof Unavailable
  metrics.failed(isOutage ? 'store' : 'bug')
  if (isOutage) logger.warn({ err: error }, 'a watch was interrupted')
  else logger.error({ err: error }, 'a watch failed')
}
