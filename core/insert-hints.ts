import type { Domain } from '#domains/domain.ts'
import type { Clock } from './clock.ts'
import { letters, receipts } from './collections.ts'
import type { Store } from './store.ts'

/** What the store tells of its inserts, for readers who look at the store themselves. */
export interface InsertHints {
  /** Opens the watch unless it is open, and keeps it open for a while. */
  use(): void
  /** True while the watch tells all inserts. */
  isOn(): boolean
}

export interface HintListener {
  inserted(ids: string[]): void
  /** The watch has ended: inserts may be missed from here on. */
  ended(): void
}

/** The time that the watch stays open after its last use. The first item after it closes the watch. */
const LINGER_MS = 10_000
/** The shortest time between two openings, for a store that ends each watch at once. */
const REOPEN_MS = 1000

/** One watch of all collections that may have the outcome of a command. It needs no timer. */
export function insertHints(
  store: Pick<Store, 'watchIds'>,
  domains: Domain[],
  clock: Clock,
  { inserted, ended }: HintListener,
): InsertHints {
  const documents = domains.flatMap((domain) => (domain.kind === 'append' ? [domain.documents.collection] : []))
  const collections = [...documents, receipts, letters]
  let isOpen = false
  let isOn = false
  let usedAt = Number.NEGATIVE_INFINITY
  let openedAt = Number.NEGATIVE_INFINITY

  async function follow(): Promise<void> {
    isOpen = true
    try {
      for await (const ids of store.watchIds(collections)) {
        isOn = true
        inserted(ids)
        if (clock.now() - usedAt > LINGER_MS) break
      }
    } catch {
      // The reader learns from its own looks whether the store is away.
    }
    isOpen = false
    isOn = false
    ended()
  }

  return {
    isOn: () => isOn,
    use() {
      usedAt = clock.now()
      if (isOpen || usedAt - openedAt < REOPEN_MS) return
      openedAt = usedAt
      void follow()
    },
  }
}
