import { discards, heads, letters, receipts, streamKey } from '#core/collections.ts'
import { standingOf } from '#core/ledger.ts'
import { reusedKeyReceipt } from '#core/receipts.ts'
import { retryOnConflict } from '#core/retry.ts'
import type { Store } from '#core/store.ts'
import type { DecideDomain, Document, Fields } from '#domains/domain.ts'
import type { ApplierParts } from './applier.ts'
import { letterOf, type Unapplied } from './letter.ts'

/** What persist knows of a stream. Every commit to the stream is a compare-and-set on its generation. */
export interface Head {
  key: string
  /** The number of its last event; 0 before the first. */
  version: number
  /** True while it waits behind its letters, until they are redriven or discarded. */
  isParked: boolean
  /** The number of letters it ever had, which is the number of the last one. */
  letters: number
  generation: number
}

export function headOf(key: string, found: Document | undefined): Head {
  const { version = 0, isParked = false, letters = 0, generation = 0 } = (found ?? {}) as Fields
  return {
    key,
    version: Number(version),
    isParked: isParked === true,
    letters: Number(letters),
    generation: Number(generation),
  }
}

export const toSwap = ({ key, generation, ...head }: Head) => ({ _id: key, ...head, generation: generation + 1 })

/** The next letter of a stream, which parks it. */
export function nextLetter(head: Head, unapplied: Unapplied, now: number): Document {
  head.isParked = true
  head.letters++
  return { ...letterOf(unapplied, now), key: head.key, number: head.letters }
}

/** Keeps a command as the next letter of its stream, unless it is settled or kept. A reused id is rejected. */
export async function parkStream(
  domain: DecideDomain,
  unapplied: Unapplied & { stream: string },
  parts: ApplierParts,
): Promise<void> {
  const { store, clock } = parts
  const key = streamKey(domain.name, unapplied.stream)
  await retryOnConflict(async () => {
    const head = headOf(key, (await store.get(heads, [key])).get(key))
    const [known, kept] = await Promise.all([store.get(receipts, [unapplied.id]), store.get(letters, [unapplied.id])])
    const { kind } = standingOf(unapplied, { receipts: known, letters: kept })
    if (kind === 'reused') await store.insert(receipts, [reusedKeyReceipt(unapplied, clock.now())])
    if (kind !== 'new') return
    const letter = nextLetter(head, unapplied, clock.now())
    await store.commit([
      { collection: heads, swap: [toSwap(head)] },
      { collection: letters, put: [letter] },
    ])
  }, parts)
}

/**
 * Removes a letter for good and inserts the receipt of its end. False when the letter is gone. The last letter of a stream
 * unparks it.
 */
export async function discardLetter(store: Store, letter: Document, receipt: Document): Promise<boolean> {
  const key = letter.key === undefined ? undefined : String(letter.key)
  const head = key === undefined ? undefined : headOf(key, (await store.get(heads, [key])).get(key))
  const [there, known] = await Promise.all([store.get(letters, [letter._id]), store.get(receipts, [receipt._id])])
  if (!there.has(letter._id)) return false
  if (head) head.isParked = await isFollowed(store, letter)
  const mark = { collection: discards, put: letter.domain ? [{ _id: String(letter.domain) }] : [] }
  await store.commit([
    ...(head ? [{ collection: heads, swap: [toSwap(head)] }] : [mark]),
    { collection: receipts, insert: known.size > 0 ? [] : [receipt] },
    { collection: letters, remove: [letter._id] },
  ])
  return true
}

/** True when a stream has other letters. Read after the head, it holds if the head's compare-and-set succeeds. */
export async function isFollowed(store: Store, { _id, key }: Document): Promise<boolean> {
  const waiting = await store.find(letters, { index: 'stream', where: { key: String(key) }, limit: 2 })
  return waiting.some((other) => other._id !== _id)
}
