/** Listeners of one caller that are behind. */
export interface CatchUp {
  caller: string
  /** Its turns so far. */
  turns: number
  isReading: boolean
  /** It has read all there was. */
  isWaiting: boolean
}

/** Reads of a collection at once; each holds a connection to the store. */
const MOST_READING = 2
/** Callers whose last turn is known; for any other it counts as long ago. */
const MOST_REMEMBERED = 1000

/**
 * Deals out turns. A caller has one read at a time, however many connections it opens. Turns alternate: one goes to the caller
 * whose last turn is the longest ago, for what it asked for first; the next one to the latest of those who have had the fewest
 * turns. So a client that is little behind is done at once, also where many people share an address, and one that is far behind
 * gets there.
 */
export function turnsOf() {
  const served = new Map<string, number>()
  let turn = 0

  function serve<Group extends CatchUp>(group: Group): Group {
    group.turns++
    served.delete(group.caller)
    served.set(group.caller, turn)
    const [oldest] = served.size > MOST_REMEMBERED ? served.keys() : []
    if (oldest !== undefined) served.delete(oldest)
    return group
  }

  const lastTurn = ({ caller }: CatchUp): number => served.get(caller) ?? 0
  const lessRecent = <Group extends CatchUp>(one: Group, other: Group) =>
    lastTurn(one) <= lastTurn(other) ? one : other
  const latestOfFewest = <Group extends CatchUp>(one: Group, other: Group) => (one.turns < other.turns ? one : other)

  return {
    /** The next that may read, if any; `groups` are in the order in which they came. */
    next<Group extends CatchUp>(groups: Iterable<Group>): Group | undefined {
      const all = [...groups]
      const busy = all.filter(({ isReading }) => isReading).map(({ caller }) => caller)
      const ready = all.filter((group) => !group.isReading && !group.isWaiting && !busy.includes(group.caller))
      if (busy.length >= MOST_READING || ready.length === 0) return undefined
      return serve(ready.reduce(++turn % 2 === 0 ? lessRecent : latestOfFewest))
    },
  }
}
