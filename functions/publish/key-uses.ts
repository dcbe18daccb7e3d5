import { type Clock, HOUR_MS } from '#core/clock.ts'
import type { Address } from '#core/receipts.ts'

const MAX_USES = 20_000
const FORGET_AFTER_MS = HOUR_MS

/** The command that a key stands for. */
interface Use {
  address: Address
  since: number
  /** The number of appends of this command that have not ended. */
  pending: number
  mayBeInLog: boolean
}

/** Call it when the append has ended. `mayBeInLog` is false only when it is certain that nothing was appended. */
export type EndUse = (mayBeInLog: boolean) => void

export interface KeyUses {
  /**
   * Records that the key stands for this command. Returns the first command instead, if that is another one. A key is
   * free again if nothing of its command was appended.
   */
  begin(key: string, address: Address): { first: Address } | { end: EndUse }
}

export const isSameCommand = (one: Address, other: Address): boolean => one.id === other.id && one.hash === other.hash

/** The keys that this instance has seen within an hour, 20,000 at most: those that came last. */
export function keyUses(clock: Clock): KeyUses {
  const uses = new Map<string, Use>()

  function open(key: string, address: Address): Use {
    const now = clock.now()
    const known = uses.get(key)
    if (known && now - known.since < FORGET_AFTER_MS) return known
    uses.delete(key)
    const [oldest = ''] = uses.keys()
    if (uses.size === MAX_USES) uses.delete(oldest)
    const use = { address, since: now, pending: 0, mayBeInLog: false }
    uses.set(key, use)
    return use
  }

  return {
    begin(key, address) {
      const use = open(key, address)
      if (!isSameCommand(use.address, address)) return { first: use.address }
      use.pending++
      return {
        end(mayBeInLog) {
          use.pending--
          use.mayBeInLog ||= mayBeInLog
          if (!use.mayBeInLog && use.pending === 0 && uses.get(key) === use) uses.delete(key)
        },
      }
    },
  }
}
