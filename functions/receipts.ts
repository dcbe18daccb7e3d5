import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '#adapters/clock.ts'
import { Problem } from '#adapters/host/http.ts'
import { RETENTION_DAYS } from '#adapters/log/log.ts'
import type { Store } from '#adapters/store/store.ts'
import type { Domain } from '#domains/domain.ts'
import { letters, receipts } from './collections.ts'

/** What a receipt's address says: which command, with which body, accepted when (milliseconds). */
export interface Address {
  domain: string
  id: string
  hash: string
  time: number
}

export type Receipt =
  | { status: 'pending' }
  | { status: 'applied' }
  | { status: 'rejected'; reason: string }
  | { status: 'parked'; reason: string }

export interface Addresses {
  sign(address: Address): string
  /** Throws 404 for an address that we never gave out, 410 for one past the horizon. */
  verify(receipt: string, now: number): Address
}

/** Addresses are signed, so that nobody can make up or guess another's. */
export function addresses(secret: string): Addresses {
  const mac = (text: string) => createHmac('sha256', secret).update(text).digest('base64url').slice(0, 22)
  return {
    sign({ domain, id, hash, time }) {
      const text = `${domain}.${id}.${hash}.${time.toString(36)}`
      return `${text}.${mac(text)}`
    },
    verify(receipt, now) {
      const dot = receipt.lastIndexOf('.')
      const text = receipt.slice(0, dot)
      const [domain = '', id = '', hash = '', time = ''] = text.split('.')
      const given = Buffer.from(receipt.slice(dot + 1))
      const right = Buffer.from(mac(text))
      if (given.length !== right.length || !timingSafeEqual(given, right)) {
        throw new Problem(404, 'Unknown receipt', 'No such receipt was ever given out here.')
      }
      const address = { domain, id, hash, time: Number.parseInt(time, 36) }
      if (now - address.time > RETENTION_DAYS * 86_400_000) {
        throw new Problem(410, 'Receipt expired', `Receipts are kept for ${RETENTION_DAYS} days.`)
      }
      return address
    },
  }
}

export const rejectionId = (id: string, hash: string): string => `${id}.${hash}`

/** Reads outcomes, one read for each collection however many are asked for. */
export async function readReceipts(store: Store, domain: Domain, asked: Address[]): Promise<Receipt[]> {
  const ids = asked.map(({ id }) => id)
  const [documents, rejections, kept] = await Promise.all([
    store.get(domain.documents.collection, ids),
    store.get(
      receipts,
      asked.map(({ id, hash }) => rejectionId(id, hash)),
    ),
    store.get(letters, ids),
  ])
  return asked.map(({ id, hash }) => {
    if (documents.get(id)?._hash === hash) return { status: 'applied' }
    const rejection = rejections.get(rejectionId(id, hash))
    if (rejection) return { status: 'rejected', reason: String(rejection.reason) }
    const letter = kept.get(id)
    if (letter?.hash === hash) return { status: 'parked', reason: String(letter.error) }
    return { status: 'pending' }
  })
}

export interface Waiting {
  /** The receipt as soon as it isn't pending, else as it is after `ms`. Rejects with `Unavailable` in an outage. */
  wait(address: Address, ms: number, signal?: AbortSignal): Promise<Receipt>
}

interface Waiter {
  address: Address
  until: number
  signal: AbortSignal | undefined
  resolve(receipt: Receipt): void
  reject(error: unknown): void
}

/** Waits for receipts; all who wait share one look at the store, at most every `every` milliseconds. */
export function waiting(store: Store, domains: Domain[], clock: Clock, every = 10): Waiting {
  const waiters = new Set<Waiter>()
  let looking = false

  async function look() {
    for (const domain of domains) {
      const group = [...waiters].filter(({ address }) => address.domain === domain.name)
      if (group.length === 0) continue
      try {
        const found = await readReceipts(
          store,
          domain,
          group.map(({ address }) => address),
        )
        group.forEach((waiter, index) => {
          const receipt = found[index] ?? { status: 'pending' }
          if (receipt.status === 'pending' && clock.now() < waiter.until && !waiter.signal?.aborted) return
          waiters.delete(waiter)
          waiter.resolve(receipt)
        })
      } catch (error) {
        for (const waiter of group) {
          waiters.delete(waiter)
          waiter.reject(error)
        }
      }
    }
  }

  async function run() {
    looking = true
    while (waiters.size > 0) {
      await look()
      if (waiters.size > 0) await clock.sleep(every)
    }
    looking = false
  }

  return {
    wait(address, ms, signal) {
      if (!domains.some(({ name }) => name === address.domain)) {
        return Promise.reject(new Problem(404, 'Unknown receipt', `There is no domain ${address.domain}.`))
      }
      return new Promise((resolve, reject) => {
        waiters.add({ address, until: clock.now() + ms, signal, resolve, reject })
        if (!looking) void run()
      })
    },
  }
}
