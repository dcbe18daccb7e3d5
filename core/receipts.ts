import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Document, Domain, Fields } from '#domains/domain.ts'
import { HORIZON_MS, letters, receipts } from './collections.ts'
import { type Identity, rejectionId, standingOf } from './ledger.ts'
import { HORIZON_DAYS } from './log.ts'
import { Problem } from './problem.ts'
import type { Store } from './store.ts'

/** The path of a receipt's address. */
export const RECEIPT_PATH = '/api/receipts/{receipt}'
export const receiptPath = (receipt: string): string => RECEIPT_PATH.replace('{receipt}', receipt)

/** The content of a receipt's address: the command, its body, and the time of its acceptance in milliseconds. */
export interface Address {
  domain: string
  id: string
  hash: string
  time: number
}

export type Receipt =
  | { status: 'pending' }
  | { status: 'applied' }
  /**
   * `isStale`: the stream was not at the version that the client expected. `reusedKey`: another command had the key
   * first.
   */
  | { status: 'rejected'; reason: string; isStale?: true; reusedKey?: true }
  | { status: 'parked'; reason: string }

export interface Addresses {
  sign(address: Address): string
  /** Throws 404 for an address with another signature, 410 for one past the horizon. */
  verify(receipt: string, now: number): Address
}

/** Signs addresses, so that nobody can forge or guess one. Addresses that other secrets signed are valid too. */
export function addresses(...secrets: [string, ...string[]]): Addresses {
  const [own, ...others] = secrets.map((secret) => createSecretKey(secret, 'utf8')) as [KeyObject, ...KeyObject[]]
  const mac = (text: string, key = own) => createHmac('sha256', key).update(text).digest('base64url').slice(0, 22)
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
      const isOf = (key: KeyObject): boolean => {
        const right = Buffer.from(mac(text, key))
        return given.length === right.length && timingSafeEqual(given, right)
      }
      if (!isOf(own) && !others.some(isOf)) {
        throw new Problem(404, 'Unknown receipt', 'This receipt was not issued here.')
      }
      const address = { domain, id, hash, time: Number.parseInt(time, 36) }
      if (now - address.time > HORIZON_MS) {
        throw new Problem(410, 'Receipt expired', `Receipts are kept for ${HORIZON_DAYS} days.`)
      }
      return address
    },
  }
}

/** The reason of a rejection by a key that another command had first. */
export const REUSED_KEY = 'this key was used before, for a command with another body'

const atTime = (now: number): string => new Date(now).toISOString()

/** The outcome of a command whose id another body had first. */
export const reusedKeyReceipt = ({ id, hash }: Identity, now: number): Document => ({
  _id: rejectionId(id, hash),
  status: 'rejected',
  reason: REUSED_KEY,
  reusedKey: true,
  at: atTime(now),
})

/** The end of a letter by a redrive. The command's document or receipt has its outcome. */
export const redrivenReceipt = ({ id, hash }: Identity, now: number): Document => ({
  _id: rejectionId(id, hash),
  status: 'redriven',
  at: atTime(now),
})

/** Reads outcomes, one read for each collection however many are asked for. */
export async function readReceipts(store: Store, domain: Domain, asked: Address[]): Promise<Receipt[]> {
  const [applied, refused] = await Promise.all([readApplied(store, domain, asked), readRefused(store, asked)])
  return asked.map((address) => applied(address) ?? refused(address) ?? PENDING)
}

export type Lookup = (address: Address) => Receipt | undefined

export const PENDING: Receipt = { status: 'pending' }

/** Nearly all outcomes: an append domain's document, or the outcome that was committed with a decision. */
export async function readApplied(store: Store, domain: Domain, asked: Address[]): Promise<Lookup> {
  const ids = asked.map(({ id }) => id)
  if (domain.kind === 'append') {
    const found = await store.get(domain.documents.collection, ids)
    return ({ id, hash }) => (found.get(id)?._hash === hash ? { status: 'applied' } : undefined)
  }
  const found = await store.get(receipts, ids)
  return ({ id, hash }) => {
    const { hash: of, status, reason, isStale } = (found.get(id) ?? {}) as Fields
    if (of !== hash) return undefined
    if (status === 'applied') return { status }
    return { status: 'rejected', reason: String(reason), ...(isStale === true ? { isStale } : {}) }
  }
}

export async function readRefused(store: Store, asked: Address[]): Promise<Lookup> {
  const [rejections, kept] = await Promise.all([
    store.get(
      receipts,
      asked.map(({ id, hash }) => rejectionId(id, hash)),
    ),
    store.get(
      letters,
      asked.flatMap(({ id, hash }) => [id, rejectionId(id, hash)]),
    ),
  ])
  return ({ id, hash }) => {
    const rejection = rejections.get(rejectionId(id, hash))
    if (rejection?.status === 'rejected') {
      const { reason, reusedKey } = rejection
      return { status: 'rejected', reason: String(reason), ...(reusedKey === true ? { reusedKey } : {}) }
    }
    const standing = standingOf({ id, hash }, { letters: kept })
    return standing.kind === 'kept' ? { status: 'parked', reason: parkedReason(standing.letter) } : undefined
  }
}

/** The reason for a client. The error of a letter may quote data of others, so only who may read letters gets it. */
const parkedReason = ({ _id }: Document): string =>
  `A bug of the site stops this command, which is kept as letter ${_id}. It is applied after the bug is corrected and the letter is redriven. Report it with this id.`
