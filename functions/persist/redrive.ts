import type { Clock } from '#adapters/clock.ts'
import type { Event } from '#adapters/event.ts'
import type { Store } from '#adapters/store/store.ts'
import { Unavailable } from '#adapters/unavailable.ts'
import type { Document, Fields } from '#domains/domain.ts'
import letterCommands from '#domains/letters/domain.ts'
import { letters } from '../collections.ts'
import { rejectionId } from '../receipts.ts'
import { appendApplier } from './append.ts'
import { type Known, readCommand } from './command.ts'
import { decideApplier } from './decide.ts'
import { type Applier, isPassing } from './fold.ts'
import { again, discardFrom } from './stream.ts'

/** How long one delivery goes on; what is left is done by the next one. */
const LONGEST_MS = 30_000
const PAGE = 200
/** As many failures as its document tells of. */
const MOST_TOLD = 100

/**
 * Redrives and discards: one letter a commit, within a parked stream in order, where the first failure stops it and the last
 * letter sets the stream going again. Whatever ends it in the middle, the next delivery goes on with the letters that are left;
 * two operators at once meet at the head of the stream.
 */
export function letterApplier(known: Known, store: Store, clock: Clock): Applier {
  const requests = appendApplier(letterCommands, store, clock)
  const { collection, document } = letterCommands.documents

  async function redrive(asked: Fields) {
    const until = clock.now() + LONGEST_MS
    const failed: { id: string; error: string }[] = []
    let redriven = 0
    const seen = new Set<string>()
    for await (const letter of chosen(asked)) {
      const key = String(letter.key ?? letter._id)
      if (seen.has(key)) continue
      seen.add(key)
      for (let next: Document | undefined = letter; next; ) {
        if (clock.now() > until) throw new Unavailable('store', 'more letters than one delivery redrives: it goes on')
        const first: Document | undefined = letter.key === undefined ? next : (await waitingIn(key))[0]
        if (!first) break
        const error = await redriveOne(first)
        if (error !== undefined) failed.push({ id: first._id, error })
        else redriven++
        next = error === undefined && letter.key !== undefined ? first : undefined
      }
    }
    return { redriven, failed: failed.slice(0, MOST_TOLD), failures: failed.length }
  }

  const waitingIn = (key: string) => store.find(letters, { index: 'stream', where: { key }, limit: 1 })

  /** What is wrong with it still, or nothing. */
  async function redriveOne(letter: Document): Promise<string | undefined> {
    const read = readCommand(eventOf(letter), known)
    if (!read.ok) return read.reason
    const { received } = read
    if (received.domain.name === letterCommands.name) return 'what asks for letters is not redriven: ask again'
    try {
      if (received.domain.kind === 'decide') {
        await decideApplier(received.domain, store, clock).redrive(received, letter)
      } else {
        await appendApplier(received.domain, store, clock).alone({ received, at: clock.now() }, (work) => work())
        await store.remove(letters, [letter._id])
      }
      return undefined
    } catch (error) {
      if (isPassing(error)) throw error
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** Those past the horizon may have taken effect: an operator names them, by their id or their error. */
  async function* chosen({ id, domain, stream, error, from, to }: Fields): AsyncGenerator<Document> {
    if (id !== undefined) {
      yield* (await store.get(letters, [String(id)])).values()
      return
    }
    const isChosen = (letter: Document): boolean =>
      (letter.isPast !== true || error !== undefined) &&
      (domain === undefined || letter.domain === domain) &&
      (stream === undefined || letter.stream === stream) &&
      (error === undefined || String(letter.error).includes(String(error))) &&
      (from === undefined || String(letter.at) >= String(from)) &&
      (to === undefined || String(letter.at) < String(to))
    let after: Document | undefined
    do {
      const page = await store.find(letters, { index: 'arrival', limit: PAGE, ...(after ? { after } : {}) })
      yield* page.filter(isChosen)
      after = page.length === PAGE ? page.at(-1) : undefined
    } while (after)
  }

  async function discard({ id, reason }: Fields) {
    const letter = (await store.get(letters, [String(id)])).get(String(id))
    if (!letter) return { discarded: 0 }
    const outcome = { hash: letter.hash ?? '', status: 'rejected', reason: `discarded: ${reason}` }
    const at = new Date(clock.now()).toISOString()
    const isDecided = letter.key !== undefined
    const [commandId = ''] = isDecided ? [letter._id] : [rejectionId(letter._id, String(letter.hash))]
    const isDone = await again(() => discardFrom(store, letter, { _id: commandId, ...outcome, at }), clock)
    return { discarded: isDone ? 1 : 0 }
  }

  return {
    ...requests,
    /** Each on its own: what it does may fail. */
    together: async () => new Map(),
    async alone(arrival, patiently) {
      const { command, hash } = arrival.received
      const done = await patiently(() => store.get(collection, [command.id]))
      if (!done.has(command.id)) {
        const work = command.type === 'letters.redrive' ? redrive : discard
        const outcome = await work(command.data)
        const made = { ...document(command), ...outcome, _id: command.id, _hash: hash }
        await patiently(() => store.insert(collection, [made]))
      }
      return await requests.alone(arrival, patiently)
    },
  }
}

/** The event as it was delivered, whose data the letter has as text or in base64. */
function eventOf({ event }: Document): Event {
  const { data, data_base64: base64, ...attributes } = event as Fields & { data?: string }
  const { knativeerrordest: _, knativeerrorcode: __, knativeerrordata: ___, ...rest } = attributes
  return { ...rest, data: base64 === undefined ? data : Buffer.from(String(base64), 'base64') } as Event
}
