import { setImmediate } from 'node:timers/promises'
import { type Inserted, ResumeLost, type Store, type StoredCollection, type WatchOptions } from '#core/store.ts'
import { type EmbeddedDatabase, tableName, tableOf } from './embedded-database.ts'

/** Read at once. Between two reads the event loop has its turn: a long way behind must not hold up the process. */
const WATCH_PAGE = 200

export interface Watchers {
  wake(): void
  watch: Store['watch']
}

/** Those who wait for the next insert. */
export function watchersOf(database: EmbeddedDatabase): Watchers {
  const { prepared, orUnavailable, isClosed } = database
  const wakers = new Set<() => void>()

  /** The last that was ever given out: what is removed or has expired leaves no doubt about what follows it. */
  function lastRow({ name }: StoredCollection): number {
    const row = prepared('SELECT seq FROM sqlite_sequence WHERE name = ?').get(tableName(name))
    return Number(row?.seq ?? 0)
  }

  /** The place to resume from is the row. It is lost when the collection, made anew, has not come that far. */
  async function* watching(
    collection: StoredCollection,
    { resume, signal, untilNow, onBegun }: WatchOptions,
  ): AsyncGenerator<Inserted> {
    const newest = orUnavailable(() => lastRow(collection))
    let last = resume === undefined ? newest : Number(resume)
    if ((resume !== undefined && !/^\d+$/.test(resume)) || last > newest)
      throw new ResumeLost(`store: ${resume} is no place in ${collection.name}`)
    onBegun?.(String(last))
    const behind = `SELECT row, body FROM ${tableOf(collection)} WHERE row > ? ORDER BY row LIMIT ${WATCH_PAGE}`
    let wake = () => {}
    const waker = () => wake()
    wakers.add(waker)
    signal.addEventListener('abort', waker)
    try {
      while (!signal.aborted && !isClosed()) {
        const woken = new Promise<void>((resolve) => (wake = resolve))
        await setImmediate()
        if (signal.aborted || isClosed()) return
        const rows = orUnavailable(() => prepared(behind).all(last)) as { row: number; body: string }[]
        for (const { row, body } of rows) {
          yield { document: JSON.parse(body), resume: String(row) }
          last = row
          if (signal.aborted) return
        }
        if (rows.length > 0 || signal.aborted) continue
        if (untilNow) return
        await woken
      }
    } finally {
      wakers.delete(waker)
      signal.removeEventListener('abort', waker)
    }
  }

  return {
    wake() {
      for (const wake of wakers) wake()
    },
    watch: (collection, options) => watching(collection, options),
  }
}
