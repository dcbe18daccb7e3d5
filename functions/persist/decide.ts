import type { Clock } from '#adapters/clock.ts'
import type { Store, Write } from '#adapters/store/store.ts'
import type { DecideDomain, Document, Event, Fields } from '#domains/domain.ts'
import { events, heads, letters, receipts, slotIds, streamKey } from '../collections.ts'
import { reusedKey } from './append.ts'
import type { Received } from './command.ts'
import { type Answer, type Applier, type Arrival, DONE } from './fold.ts'
import { unappliedOf } from './letter.ts'
import { again, type Head, headOf, isFollowed, nextLetter, parkStream, toSwap } from './stream.ts'
import { freeze, project, type Table, tableOf } from './view.ts'

type Outcome = { status: 'applied' } | { status: 'rejected'; reason: string; isStale?: true }

const BEHIND = 'behind a parked command of its stream'

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

export interface DecideApplier extends Applier {
  /** Applies the first letter of a parked stream, and removes it; the last one sets the stream going again. */
  redrive(received: Received, letter: Document): Promise<void>
}

/**
 * A decide domain's commands. Heads are read first and everything else after them; the commit is a compare-and-set on
 * every head, so what was read of a stream is either what the commit builds on, or somebody else was first and it is all
 * done anew. Zombies meet at the head, and at the receipt, whose id is the command's.
 */
export function decideApplier(domain: DecideDomain, store: Store, clock: Clock): DecideApplier {
  const keyOf = ({ command }: Received) => streamKey(domain.name, command.stream)

  async function load(batch: Received[], redriven?: Document): Promise<Loaded> {
    const keys = [...new Set(batch.map(keyOf))]
    const ids = batch.map(({ command }) => command.id)
    const found = await store.get(heads, keys)
    const streams = new Map(keys.map((key) => [key, headOf(key, found.get(key))]))
    const isParked = [...streams.values()].some((head) => head.isParked)
    const slot = slotIds[Math.floor(Math.random() * slotIds.length)] as string
    const [known, kept, table, slots, followed] = await Promise.all([
      store.get(receipts, ids),
      isParked ? store.get(letters, ids) : new Map<string, Document>(),
      tableOf(
        domain,
        batch.map(({ command }) => command),
        (collection, ids) => store.get(collection, ids),
      ),
      domain.tally ? store.get(domain.tally.collection, [slot]) : undefined,
      redriven ? isFollowed(store, redriven) : false,
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

  /** Reads, decides, commits. Resolves with what is settled; `onFault` is told of what a command's own rules threw. */
  async function round(
    batch: Received[],
    onFault: (received: Received, error: unknown) => void,
    redriven?: Document,
  ): Promise<Set<Received>> {
    const state = await load(batch, redriven)
    const out = {
      receipts: [] as Document[],
      again: [] as Document[],
      events: [] as Event[],
      letters: [] as Document[],
    }
    const touched = new Set<Head>()
    const stuck = new Set<string>()
    const settled = new Set<Received>()

    for (const received of batch) {
      const key = keyOf(received)
      if (stuck.has(key)) continue
      try {
        settle(received, state.heads.get(key) as Head)
        settled.add(received)
      } catch (error) {
        stuck.add(key)
        onFault(received, error)
      }
    }
    const writes = writesOf()
    if (writes.length > 0) await store.commit(writes)
    return settled

    function settle(received: Received, head: Head): void {
      const known = state.receipts.get(received.command.id)
      if (known) {
        if (known.hash !== received.hash) out.again.push(reusedKey(received, clock.now()))
      } else if (head.isParked && !redriven) keepBehind(received, head)
      else conclude(received, head, outcomeOf(received, head))
      if (!redriven) return
      head.isParked = state.isFollowed
      touched.add(head)
    }

    function outcomeOf({ command, expected }: Received, head: Head): Outcome {
      if (expected !== undefined && expected !== head.version) {
        const reason = `the stream is at version ${head.version}, not ${expected}`
        return { status: 'rejected', reason, isStale: true }
      }
      const changes = state.table.begin(domain.touches(command))
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

    function conclude({ command, hash }: Received, head: Head, outcome: Outcome): void {
      touched.add(head)
      const receipt = { _id: command.id, hash, at: new Date(clock.now()).toISOString(), ...outcome }
      out.receipts.push(receipt)
      state.receipts.set(command.id, receipt)
    }

    function keepBehind(received: Received, head: Head): void {
      const kept = state.letters.get(received.command.id)
      if (kept?.hash === received.hash) return
      const letter = nextLetter(head, unappliedOf(received, BEHIND, 0), kept, clock.now())
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
      const writes: Write[] = [
        { collection: heads, swap: [...touched].map(toSwap) },
        { collection: events, insert: out.events.map((event) => eventDocument(domain, event)) },
        { collection: receipts, insert: out.receipts, put: out.again },
        { collection: letters, put: out.letters, remove: redriven ? [redriven._id] : [] },
        ...state.table.writes(),
      ]
      const { tally } = domain
      if (tally && state.slot && out.events.length > 0) {
        const { generation, ...total } = state.slot
        writes.push({ collection: tally.collection, swap: [{ ...total, generation: Number(generation) + 1 }] })
      }
      return writes.filter(({ insert, put, remove, swap }) => [insert, put, remove, swap].some((some) => some?.length))
    }
  }

  return {
    isOrdered: true,
    async together(arrivals, patiently) {
      const batch = new Map(arrivals.map((arrival) => [arrival.received, arrival]))
      const settled = await again(() => patiently(() => round([...batch.keys()], () => {})), clock)
      return new Map<Arrival, Answer>([...settled].map((received) => [batch.get(received) as Arrival, DONE]))
    },
    async alone({ received }, patiently) {
      await again(() => patiently(() => round([received], raise)), clock)
      return DONE
    },
    async redrive(received, letter) {
      if (keyOf(received) !== letter.key) throw new Error(`it is of ${keyOf(received)} now, not of ${letter.key}`)
      await again(() => round([received], raise, letter), clock)
    },
    park: ({ received }, reason, attempts) =>
      parkStream(store, domain, { ...unappliedOf(received, reason, attempts), stream: received.command.stream }, clock),
  }
}

const raise = (_: Received, error: unknown) => {
  throw error
}

const eventDocument = (domain: DecideDomain, event: Event): Document => {
  const key = streamKey(domain.name, event.stream)
  return { _id: `${key}#${event.number}`, key, ...event }
}
