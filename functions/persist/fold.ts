import type { Clock } from '#adapters/clock.ts'
import type { Outcome } from '#adapters/event.ts'
import { Refused, type Store } from '#adapters/store/store.ts'
import { Unavailable } from '#adapters/unavailable.ts'
import type { Document, Domain } from '#domains/domain.ts'
import { receipts } from '../collections.ts'
import { rejectionId } from '../receipts.ts'
import type { Received } from './command.ts'
import { held } from './held.ts'
import { keepLetter } from './letter.ts'
import type { Tries } from './tries.ts'

/** The first try and its three retries; a fifth delivery means that the fourth never came back. */
const MOST_TRIES = 4
/** KafkaSource waits 1, 2 and 3 s; a second more before the third retry makes it 1, 2 and 4. */
const LAST_RETRY_DELAY_MS = 1000
/** Less than the 60 s that a KafkaSource waits for an answer, with room for the last look at the store. */
export const HOLD_MS = 45_000

export interface Arrival {
  received: Received
  at: number
}

export type Answer = Outcome & { delayMs?: number }

export interface FoldParts {
  store: Store
  tries: Tries
  clock: Clock
}

const DONE: Answer = { status: 204 }

/** Applies a batch of an append domain's commands: one bulk insert, then what is left is tried one by one. */
export function appendFold(domain: Domain, { store, tries, clock }: FoldParts) {
  const { collection, document } = domain.documents
  const toDocument = ({ command, hash }: Received): Document => ({
    ...document(command),
    _id: command.id,
    _hash: hash,
  })

  return async function fold(batch: Arrival[]): Promise<Map<Arrival, Answer>> {
    const deadline = Math.min(...batch.map(({ at }) => at)) + HOLD_MS
    const answers = new Map<Arrival, Answer>()
    const careful = await held(() => tries.careful(), deadline, clock)
    const counts = careful ? await held(() => tries.count(idsOf(batch)), deadline, clock) : undefined
    const isSuspect = ({ received }: Arrival) => (counts?.get(received.command.id) ?? 0) > 1

    let rest = await insertAll(batch.filter((arrival) => !isSuspect(arrival)))
    if (counts) await tries.forget(idsOf([...answers.keys()])).catch(ignoreOutage)
    rest = [...rest, ...batch.filter(isSuspect)]
    for (const arrival of rest) {
      const id = arrival.received.command.id
      answers.set(arrival, await tryAlone(arrival, counts?.get(id)))
    }
    return answers

    /** Resolves with those that must be tried alone. */
    async function insertAll(arrivals: Arrival[]): Promise<Arrival[]> {
      const { documents, folded, faulty } = foldEach(arrivals)
      try {
        const present = await held(() => store.insert(collection, documents), deadline, clock)
        await held(() => settleRepeats(folded, present), deadline, clock)
        for (const arrival of folded) answers.set(arrival, DONE)
        return faulty
      } catch (error) {
        if (error instanceof Unavailable) {
          if (counts) tries.uncount(counts)
          throw error
        }
        return arrivals
      }
    }

    async function tryAlone(arrival: Arrival, counted?: number): Promise<Answer> {
      const { id } = arrival.received.command
      const count = counted ?? (await held(() => tries.count([id]), deadline, clock)).get(id) ?? 1
      if (count > MOST_TRIES) return await park(arrival, `no attempt came back: the process did not survive it`, count)
      try {
        const present = await held(() => store.insert(collection, [toDocument(arrival.received)]), deadline, clock)
        await held(() => settleRepeats([arrival], present), deadline, clock)
        await tries.forget([id]).catch(ignoreOutage)
        return DONE
      } catch (error) {
        if (error instanceof Unavailable) {
          tries.uncount(new Map([[id, count]]))
          return { status: 503, detail: error.message }
        }
        const reason = error instanceof Error ? error.message : String(error)
        if (error instanceof Refused || count >= MOST_TRIES) return await park(arrival, reason, count)
        return { status: 500, detail: reason, delayMs: count === MOST_TRIES - 1 ? LAST_RETRY_DELAY_MS : 0 }
      }
    }

    async function park({ received }: Arrival, reason: string, count: number): Promise<Answer> {
      const { command, hash, event } = received
      const letter = {
        id: command.id,
        hash,
        reason,
        event,
        domain: domain.name,
        stream: command.stream,
        attempts: count,
      }
      try {
        await held(() => keepLetter(store, letter, clock.now()), deadline, clock)
        return { status: 422, detail: reason }
      } catch (error) {
        if (error instanceof Unavailable) return { status: 503, detail: error.message }
        throw error
      }
    }
  }

  /** A command that was there before is done if its body is the same; another body under its id is rejected. */
  async function settleRepeats(arrivals: Arrival[], present: Set<string>): Promise<void> {
    if (present.size === 0) return
    const stored = await store.get(collection, [...present])
    const reused = arrivals.filter(({ received: { command, hash } }) => {
      const first = stored.get(command.id)
      return first !== undefined && first._hash !== hash
    })
    if (reused.length === 0) return
    const at = new Date(clock.now()).toISOString()
    const reason = 'this key was used before, for a command with another body'
    await store.insert(
      receipts,
      reused.map(({ received: { command, hash } }) => ({
        _id: rejectionId(command.id, hash),
        status: 'rejected',
        reason,
        at,
      })),
    )
  }

  function foldEach(arrivals: Arrival[]) {
    const documents: Document[] = []
    const folded: Arrival[] = []
    const faulty: Arrival[] = []
    for (const arrival of arrivals) {
      try {
        documents.push(toDocument(arrival.received))
        folded.push(arrival)
      } catch {
        faulty.push(arrival)
      }
    }
    return { documents, folded, faulty }
  }
}

const idsOf = (arrivals: Arrival[]): string[] => arrivals.map(({ received }) => received.command.id)

/** Counts that stay behind expire; they cost a command no more than being tried alone. */
function ignoreOutage(error: unknown): void {
  if (!(error instanceof Unavailable)) throw error
}
