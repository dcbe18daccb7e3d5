import type { Clock } from '#core/clock.ts'
import { attempts, discardsOf, heads, letters, receipts, streamKey } from '#core/collections.ts'
import type { Store } from '#core/store.ts'
import type { DecideDomain, Document, Fields } from '#domains/domain.ts'
import { letterOf, reusedKeyReceipt, type Unapplied } from './letter.ts'
import { retryOnConflict } from './retries.ts'

/** What persist knows of a stream. Every commit to the stream is a compare-and-set on its generation. */
export interface Head {
  key: string
  /** The number of its last event; 0 before the first. */
  version: number
  /** Whether it stands still behind its letters, until they are redriven or discarded. */
  isParked: boolean
  /** How many letters it has ever had: the number of the last. */
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

/** The next letter of a stream, which stands still from here on. */
export function nextLetter(head: Head, unapplied: Unapplied, now: number): Document {
  head.isParked = true
  head.letters++
  return { ...letterOf(unapplied, now), key: head.key, number: head.letters }
}

/**
 * Keeps a command as the next letter of its stream. Keeping it again changes nothing, nor does keeping one that has its
 * outcome; one whose id is another's is rejected.
 */
export async function parkStream(
  store: Store,
  domain: DecideDomain,
  unapplied: Unapplied & { stream: string },
  clock: Clock,
): Promise<void> {
  const key = streamKey(domain.name, unapplied.stream)
  await retryOnConflict(async () => {
    const head = headOf(key, (await store.get(heads, [key])).get(key))
    const [done, kept] = await Promise.all([store.get(receipts, [unapplied.id]), store.get(letters, [unapplied.id])])
    const first = done.get(unapplied.id) ?? kept.get(unapplied.id)
    if (first?.hash === unapplied.hash) return
    if (first) return void (await store.insert(receipts, [reusedKeyReceipt(unapplied, clock.now())]))
    const letter = nextLetter(head, unapplied, clock.now())
    await store.commit([
      { collection: heads, swap: [toSwap(head)] },
      { collection: letters, put: [letter] },
    ])
  }, clock)
}

/**
 * Removes a letter for good, and writes down how it ended; false when it is gone already. The last letter of a stream sets
 * it going again.
 */
export async function discardFrom(store: Store, letter: Document, receipt: Document): Promise<boolean> {
  const key = letter.key === undefined ? undefined : String(letter.key)
  const head = key === undefined ? undefined : headOf(key, (await store.get(heads, [key])).get(key))
  const [there, known] = await Promise.all([store.get(letters, [letter._id]), store.get(receipts, [receipt._id])])
  if (!there.has(letter._id)) return false
  if (head) head.isParked = await isFollowed(store, letter)
  const mark = { collection: attempts, put: [{ _id: discardsOf(String(letter.domain)) }] }
  await store.commit([
    ...(head ? [{ collection: heads, swap: [toSwap(head)] }] : [mark]),
    { collection: receipts, insert: known.size > 0 ? [] : [receipt] },
    { collection: letters, remove: [letter._id] },
  ])
  return true
}

/** Whether its stream has other letters. Read after the head, it is as true as the head is when that is committed. */
export async function isFollowed(store: Store, { _id, key }: Document): Promise<boolean> {
  const waiting = await store.find(letters, { index: 'stream', where: { key: String(key) }, limit: 2 })
  return waiting.some((other) => other._id !== _id)
}
