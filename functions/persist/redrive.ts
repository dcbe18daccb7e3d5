import type { Clock } from '#core/clock.ts'
import { attempts, letters } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import letterCommands from '#core/letters/domain.ts'
import { rejectionId } from '#core/receipts.ts'
import type { Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document, Fields } from '#domains/domain.ts'
import { appendApplier } from './append.ts'
import type { Applier } from './apply-batch.ts'
import { type KnownCommands, readCommand } from './command.ts'
import { decideApplier } from './decide.ts'
import { isBeyondHorizon, pastReason } from './letter.ts'
import { isTransient, retryOnConflict } from './retries.ts'
import { discardFrom } from './stream.ts'
import { type Judge, keptVerdict } from './verdict.ts'

/** How long one delivery goes on; what is left is done by the next one. */
const LONGEST_MS = 30_000
/** Letters have records of up to a megabyte with them. */
const PAGE = 20
/** As many failures as its document tells of. */
const MAX_REPORTED = 100

/** How far a redrive has come. A letter that fails stays behind it, and is not tried twice. */
type Progress = {
  redriven: number
  failed: { id: string; error: string }[]
  failures: number
  /** Streams that stand still still. */
  blockedStreams: string[]
  after?: Document
}

const progressName = (id: string): string => `progress of ${id}`

/**
 * Redrives and discards: one letter a commit, within a parked stream in order, where the first failure stops it and the last
 * letter sets the stream going again. Whatever ends it in the middle, the next delivery goes on with the letters that are left;
 * two operators at once meet at the head of the stream.
 */
export function letterApplier(known: KnownCommands, judge: Judge, store: Store, clock: Clock): Applier {
  const requests = appendApplier(letterCommands, store, clock)
  const { collection, document } = letterCommands.documents

  /** One letter after the other, from where the delivery before has come to. */
  async function redrive(id: string, asked: Fields) {
    const until = clock.now() + LONGEST_MS
    const progress = await progressOf(id)
    try {
      for await (const letter of listed(asked, progress.after)) {
        const key = String(letter.key ?? letter._id)
        if (isChosen(letter, asked) && !progress.blockedStreams.includes(key)) await redriveStream(letter, key)
        progress.after = { _id: letter._id, at: letter.at ?? '' }
        goOnLater()
      }
    } catch (error) {
      await keep(id, progress).catch(() => undefined)
      throw error
    }
    const { redriven, failed, failures } = progress
    return { redriven, failed, failures }

    function goOnLater(): void {
      if (clock.now() > until) throw new Unavailable('store', 'more letters than one delivery redrives: it goes on')
    }

    /** A letter; of a parked stream all from its first, up to one that fails. */
    async function redriveStream(letter: Document, key: string): Promise<void> {
      for (let next: Document | undefined = letter; next; ) {
        goOnLater()
        const first: Document | undefined = letter.key === undefined ? next : (await waitingIn(key))[0]
        if (!first) return
        const error = await redriveOne(first, asked.id !== undefined)
        if (error === undefined) progress.redriven++
        else {
          progress.failures++
          if (letter.key !== undefined) progress.blockedStreams.push(key)
          if (progress.failed.length < MAX_REPORTED) progress.failed.push({ id: first._id, error })
        }
        next = error === undefined && letter.key !== undefined ? first : undefined
      }
    }
  }

  async function progressOf(id: string): Promise<Progress> {
    const kept = (await store.get(attempts, [progressName(id)])).get(progressName(id))
    return (kept?.progress as Progress | undefined) ?? { redriven: 0, failed: [], failures: 0, blockedStreams: [] }
  }

  const keep = (id: string, progress: Progress): Promise<void> =>
    store.commit([{ collection: attempts, put: [{ _id: progressName(id), progress }] }])

  const waitingIn = (key: string) => store.find(letters, { index: 'stream', where: { key }, limit: 1 })

  /** What is wrong with it still, or nothing. A letter that was refused has not been held to the horizon yet. */
  async function redriveOne(letter: Document, isNamed: boolean): Promise<string | undefined> {
    const event = eventOf(letter)
    const read = readCommand(event, known, keptVerdict(letter, event, judge))
    if (!read.ok) return read.reason
    const { received } = read
    if (received.domain.name === letterCommands.name) return 'what asks for letters is not redriven: ask again'
    const isPast = letter.verdict === 'refused' && isBeyondHorizon(received, clock.now())
    if (isPast && !isNamed) return `${pastReason(received)}: redrive it by its id`
    try {
      const { domain } = received
      const applier =
        domain.kind === 'decide' ? decideApplier(domain, store, clock) : appendApplier(domain, store, clock)
      await applier.redrive(received, letter)
      return undefined
    } catch (error) {
      if (isTransient(error)) throw error
      return error instanceof Error ? error.message : String(error)
    }
  }

  async function* listed({ id }: Fields, begin: Document | undefined): AsyncGenerator<Document> {
    if (id !== undefined) {
      yield* (await store.get(letters, [String(id)])).values()
      return
    }
    let after = begin
    do {
      const page = await store.find(letters, { index: 'arrival', limit: PAGE, ...(after ? { after } : {}) })
      yield* page
      after = page.length === PAGE ? page.at(-1) : undefined
    } while (after)
  }

  async function discard({ id, reason }: Fields) {
    const letter = (await store.get(letters, [String(id)])).get(String(id))
    if (!letter) return { discarded: 0 }
    const outcome = { hash: letter.hash ?? '', status: 'rejected', reason: `discarded: ${reason}` }
    const at = new Date(clock.now()).toISOString()
    const command = String(letter.command ?? letter._id)
    const _id = letter.key === undefined ? rejectionId(command, String(letter.hash)) : command
    const isDone = await retryOnConflict(() => discardFrom(store, letter, { _id, ...outcome, at }), clock)
    return { discarded: isDone ? 1 : 0 }
  }

  return {
    ...requests,
    /** Each on its own: what it does may fail. */
    applyAll: async () => new Map(),
    async applyOne(arrival, withRetry) {
      const { command, hash } = arrival.received
      const done = await withRetry(() => store.get(collection, [command.id]))
      if (!done.has(command.id)) {
        const isRedrive = command.type === 'letters.redrive'
        const outcome = isRedrive ? await redrive(command.id, command.data) : await discard(command.data)
        const made = { ...document(command), ...outcome, _id: command.id, _hash: hash }
        await withRetry(() => store.insert(collection, [made]))
      }
      return await requests.applyOne(arrival, withRetry)
    },
  }
}

/** Those past the horizon may have taken effect: an operator names each by its id. */
function isChosen(letter: Document, { id, domain, stream, error, from, to }: Fields): boolean {
  if (id !== undefined) return true
  return (
    letter.isPast !== true &&
    (domain === undefined || letter.domain === domain) &&
    (stream === undefined || letter.stream === stream) &&
    (error === undefined || String(letter.error).includes(String(error))) &&
    (from === undefined || String(letter.at) >= String(from)) &&
    (to === undefined || String(letter.at) < String(to))
  )
}

/** The event as it was delivered, whose data the letter has as text or in base64. */
function eventOf({ event }: Document): Delivery {
  const { data, data_base64: base64, ...attributes } = event as Fields & { data?: string }
  const { knativeerrordest: _, knativeerrorcode: __, knativeerrordata: ___, ...rest } = attributes
  return { ...rest, data: base64 === undefined ? data : Buffer.from(String(base64), 'base64') } as Delivery
}
