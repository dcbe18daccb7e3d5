import { BoundedMap } from '#core/bounded-map.ts'
import { type Clock, HOUR_MS } from '#core/clock.ts'
import type { Address } from '#core/receipts.ts'

const MAX_USES = 20_000

/** The command that a key stands for. */
interface Use {
  address: Address
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

/** The keys that this instance saw within the last hour, at most the last 20,000. */
export function keyUses(clock: Clock): KeyUses {
  const uses = new BoundedMap<Use>(MAX_USES)

  function open(key: string, address: Address): Use {
    const now = clock.now()
    const known = uses.get(key, now)
    if (known) return known
    const use = { address, pending: 0, mayBeInLog: false }
    uses.set(key, use, now + HOUR_MS)
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
          if (!use.mayBeInLog && use.pending === 0) uses.delete(key, use)
        },
      }
    },
  }
}
