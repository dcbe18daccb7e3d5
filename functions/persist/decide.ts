import type { Clock } from '#core/clock.ts'
import { events, heads, letters, receipts, slotIds, streamKey } from '#core/collections.ts'
import { rejectionId } from '#core/receipts.ts'
import type { Store, Write } from '#core/store.ts'
import type { DecideDomain, Document, Event, Fields } from '#domains/domain.ts'
import { type ApplyResult, type Arrival, DONE, REPEATED, type RedrivingApplier } from './apply-batch.ts'
import type { ReceivedCommand } from './command.ts'
import { redrivenReceipt, reusedKeyReceipt, unappliedOf } from './letter.ts'
import { retryOnConflict } from './retries.ts'
import { type Head, headOf, isFollowed, nextLetter, parkStream, toSwap } from './stream.ts'
import { freeze, project, type Table, tableOf } from './view.ts'

type Outcome = { status: 'applied' } | { status: 'rejected'; reason: string; isStale?: true }

const BEHIND = 'behind a parked command of its stream'
/** Then one by one, so that a hot stream holds up no other. */
const MOST_CONFLICTS_TOGETHER = 3

/** All that a batch needs to know. */
interface Loaded {
  heads: Map<string, Head>
  receipts: Map<string, Document>
  letters: Map<string, Document>
  table: Table
  slot: Document | undefined
  /** Of a redrive: whether other letters wait behind this one. */
  isFollowed: boolean
}

/**
 * A decide domain's commands. Heads are read first and everything else after them; the commit is a compare-and-set on
 * every head, so what was read of a stream is either what the commit builds on, or somebody else was first and it is all
 * done anew. Zombies meet at the head, and at the receipt, whose id is the command's.
 */
export function decideApplier(domain: DecideDomain, store: Store, clock: Clock): RedrivingApplier {
  const keyOf = ({ command }: ReceivedCommand) => streamKey(domain.name, command.stream)

  async function load(batch: ReceivedCommand[], redriven?: Document): Promise<Loaded> {
    const keys = [...new Set(batch.map(keyOf))]
    const ids = batch.map(({ command }) => command.id)
    const found = await store.get(heads, keys)
    const streams = new Map(keys.map((key) => [key, headOf(key, found.get(key))]))
    const slot = slotIds[Math.floor(Math.random() * slotIds.length)] as string
    const [known, kept, table, slots, followed] = await Promise.all([
      store.get(
        receipts,
        redriven ? [...ids, ...batch.map(({ command, hash }) => rejectionId(command.id, hash))] : ids,
      ),
      store.get(letters, ids),
      tableOf(
        domain,
        batch.map(({ command }) => command),
        (collection, ids) => store.get(collection, ids),
      ),
      domain.tally ? store.get(domain.tally.collection, [slot]) : undefined,
      redriven?.key === undefined ? false : isFollowed(store, redriven),
    ])
    const empty = { _id: slot, generation: 0, ...domain.tally?.zero }
    return {
      heads: streams,
      receipts: known,
      letters: kept,
      table,
      slot: slots ? (slots.get(slot) ?? empty) : undefined,
      isFollowed: followed,
    }
  }

  /** Reads, decides, commits. Resolves with the answers to what is settled; `onFault` is told of what a command's own rules threw. */
  async function round(
    batch: ReceivedCommand[],
    onFault: (received: ReceivedCommand, error: unknown) => void,
    redriven?: Document,
  ): Promise<Map<ReceivedCommand, ApplyResult>> {
    const state = await load(batch, redriven)
    const out = {
      receipts: [] as Document[],
      again: [] as Document[],
      events: [] as Event[],
      letters: [] as Document[],
    }
    const touched = new Set<Head>()
    /** Streams and ids, whose colons tell them apart, behind a command that failed. */
    const blocked = new Set<string>()
    const settled = new Map<ReceivedCommand, ApplyResult>()

    for (const received of batch) {
      const key = keyOf(received)
      const { id } = received.command
      try {
        if (!blocked.has(key) && !blocked.has(id)) settled.set(received, settle(received, state.heads.get(key) as Head))
      } catch (error) {
        blocked.add(key)
        onFault(received, error)
      }
      if (!settled.has(received)) blocked.add(id)
    }
    const writes = writesOf()
    if (writes.length > 0) await store.commit(writes)
    return settled

    /** What was first under the command's id, its outcome or a letter, stays what it is. */
    function settle(received: ReceivedCommand, head: Head): ApplyResult {
      const { command, hash } = received
      const letter = state.letters.get(command.id)
      const kept = letter?._id === redriven?._id ? undefined : letter
      const first = state.receipts.get(command.id) ?? kept
      if (first && first.hash !== hash) out.again.push(reusedKeyReceipt({ id: command.id, hash }, clock.now()))
      else if (kept && kept === first) return answerTo(kept)
      else if (!first && head.isParked && !redriven) keepBehind(received, head)
      else if (!first && head.isParked && redriven?.key === undefined)
        throw new Error('its stream is parked: that first')
      else if (!first) conclude(received, head, outcomeOf(received, head))
      if (redriven?.key !== undefined) {
        head.isParked = state.isFollowed
        touched.add(head)
      }
      return first ? REPEATED : DONE
    }

    function outcomeOf({ command, expected }: ReceivedCommand, head: Head): Outcome {
      if (expected !== undefined && expected !== head.version) {
        const reason = `the stream is at version ${head.version}, not ${expected}`
        return { status: 'rejected', reason, isStale: true }
      }
      const changes = state.table.begin(domain.touches(command), command.stream)
      const decision = domain.decide(freeze(command), changes)
      if ('rejected' in decision) return { status: 'rejected', reason: decision.rejected }
      const { id, time, actor, stream } = command
      const happened = decision.events.map(
        (event, index): Event => ({ ...event, stream, number: head.version + index + 1, command: id, time, actor }),
      )
      project(domain, freeze(happened), changes)
      const slot = counted(state.slot, happened)
      changes.keep()
      state.slot = slot
      out.events.push(...happened)
      head.version += happened.length
      return { status: 'applied' }
    }

    function conclude({ command, hash }: ReceivedCommand, head: Head, outcome: Outcome): void {
      touched.add(head)
      const receipt = { _id: command.id, hash, at: new Date(clock.now()).toISOString(), ...outcome }
      out.receipts.push(receipt)
      state.receipts.set(command.id, receipt)
    }

    function keepBehind(received: ReceivedCommand, head: Head): void {
      const letter = nextLetter(head, unappliedOf(received, BEHIND, 0), clock.now())
      touched.add(head)
      out.letters.push(letter)
      state.letters.set(letter._id, letter)
    }

    function counted(slot: Document | undefined, happened: Event[]): Document | undefined {
      if (!domain.tally || !slot) return undefined
      const { add } = domain.tally
      const { _id, generation = 0 } = slot
      return {
        ...happened.reduce<Fields>((total, event) => freeze(add(total, event)), freeze({ ...slot })),
        _id,
        generation,
      }
    }

    function writesOf(): Write[] {
      const isAlone = redriven !== undefined && redriven.key === undefined && out.again.length === 0
      const made = isAlone ? batch.map(({ command: { id }, hash }) => redrivenReceipt({ id, hash }, clock.now())) : []
      const ended = made.filter(({ _id }) => !state.receipts.has(_id))
      const writes: Write[] = [
        { collection: heads, swap: [...touched].map(toSwap) },
        { collection: events, insert: out.events.map((event) => eventDocument(domain, event)) },
        { collection: receipts, insert: [...out.receipts, ...ended], put: out.again },
        { collection: letters, put: out.letters, remove: redriven ? [redriven._id] : [] },
        ...state.table.writes(),
      ]
      const { tally } = domain
      if (tally && state.slot && out.events.length > 0) {
        const { generation, ...total } = state.slot
        writes.push({ collection: tally.collection, swap: [{ ...total, generation: Number(generation) + 1 }] })
      }
      return writes.filter(({ collection: _, ...kinds }) => Object.values(kinds).some((some) => some.length > 0))
    }
  }

  return {
    isOrdered: true,
    async applyAll(arrivals, withRetry) {
      const batch = new Map(arrivals.map((arrival) => [arrival.received, arrival]))
      const work = () => withRetry(() => round([...batch.keys()], () => {}))
      const settled = await retryOnConflict(work, clock, MOST_CONFLICTS_TOGETHER)
      return new Map([...settled].map(([received, answer]) => [batch.get(received) as Arrival, answer]))
    },
    async applyOne({ received }, withRetry) {
      const settled = await retryOnConflict(() => withRetry(() => round([received], raise)), clock)
      return settled.get(received) ?? DONE
    },
    async redrive(received, letter) {
      const { key = keyOf(received) } = letter
      if (keyOf(received) !== key) throw new Error(`it is of ${keyOf(received)} now, not of ${key}`)
      await retryOnConflict(async () => {
        const there = await store.get(letters, [letter._id])
        if (there.has(letter._id)) await round([received], raise, letter)
      }, clock)
    },
    park: ({ received }, reason, attempts) =>
      parkStream(store, domain, { ...unappliedOf(received, reason, attempts), stream: received.command.stream }, clock),
  }
}

/** What parked its stream is answered as when it was kept: its copy may not have been made. */
const answerTo = ({ error }: Document): ApplyResult =>
  error === BEHIND ? DONE : { status: 422, detail: String(error) }

const raise = (_: ReceivedCommand, error: unknown) => {
  throw error
}

const eventDocument = (domain: DecideDomain, event: Event): Document => {
  const key = streamKey(domain.name, event.stream)
  return { _id: `${key}#${event.number}`, key, ...event }
}
