/** A reader that is behind and needs turns at the store. */
export interface Reader {
  caller: string
  /** The number of turns that it has had. */
  turns: number
  isReading: boolean
  /** True when it has read everything and waits for the next insert. */
  isWaiting: boolean
}

/** The number of concurrent reads of a collection. Each holds a connection to the store. */
const MAX_READING = 2
/** The number of callers whose last turn is remembered. For all others it counts as long ago. */
const MAX_REMEMBERED = 1000

export type ReadTurns = ReturnType<typeof readTurns>

/**
 * Deals out turns to read. A caller has one read at a time, however many connections it opens. Odd turns go to the reader with
 * the fewest turns, the latest of several. Even turns go to the caller whose last turn is the longest ago, for its
 * oldest request. So a reader that is a little behind is done soon, even if many people share its
 * address. A reader that is far behind gets there too.
 */
export function readTurns() {
  const lastTurns = new Map<string, number>()
  let turn = 0

  function assign<Some extends Reader>(reader: Some): Some {
    reader.turns++
    lastTurns.delete(reader.caller)
    lastTurns.set(reader.caller, turn)
    const [oldest] = lastTurns.size > MAX_REMEMBERED ? lastTurns.keys() : []
    if (oldest !== undefined) lastTurns.delete(oldest)
    return reader
  }

  const lastTurn = ({ caller }: Reader): number => lastTurns.get(caller) ?? 0
  const lessRecent = <Some extends Reader>(one: Some, other: Some) => (lastTurn(one) <= lastTurn(other) ? one : other)
  const latestOfFewest = <Some extends Reader>(one: Some, other: Some) => (one.turns < other.turns ? one : other)

  return {
    /** The next reader that may read, if any. `readers` are in the order in which they came. */
    next<Some extends Reader>(readers: Iterable<Some>): Some | undefined {
      const all = [...readers]
      const busy = all.filter(({ isReading }) => isReading).map(({ caller }) => caller)
      const ready = all.filter((reader) => !reader.isReading && !reader.isWaiting && !busy.includes(reader.caller))
      if (busy.length >= MAX_READING || ready.length === 0) return undefined
      return assign(ready.reduce(++turn % 2 === 0 ? lessRecent : latestOfFewest))
    },
  }
}
