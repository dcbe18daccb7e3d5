import { letters, redriveProgress } from '#core/collections.ts'
import { type Failure, failureOf } from '#core/failure.ts'
import { actsOnLetters, isChosen } from '#core/letters/action.ts'
import { isTransient } from '#core/retry.ts'
import type { Store } from '#core/store.ts'
import type { Logger } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document, Fields } from '#domains/domain.ts'
import { appendApplier } from './append.ts'
import type { ApplierParts, ApplyResult } from './applier.ts'
import {
  detailsOf,
  endOf,
  isBeyondHorizon,
  type KnownCommands,
  type ReceivedCommand,
  readCommand,
  traceIdOf,
} from './command.ts'
import { decideApplier } from './decide.ts'
import { type Judge, keptVerdict } from './envelope.ts'
import { deliveryOf, horizonReason } from './letter.ts'

/** The longest that one delivery redrives. The next one does the rest. */
const LONGEST_MS = 30_000
/** A letter has its record, which may be a megabyte. */
const PAGE = 20
/** The number of failures that the redrive's document lists. */
const MAX_REPORTED = 100

export interface RedriveParts extends ApplierParts {
  known: KnownCommands
  judge: Judge
  logger: Logger
}

/** How far a redrive has come. It passes a letter that failed, and does not try it again. */
type Progress = {
  redriven: number
  failed: { id: string; error: string; frames?: string[] }[]
  failures: number
  /** The keys of streams that are still blocked by a failed letter. */
  blockedStreams: string[]
  /** The last letter that it passed. */
  after?: Document
}

/** One delivery of a redrive. */
interface Redrive extends RedriveParts {
  progress: Progress
  until: number
  /** True when the operator named the letter by its id. */
  isNamed: boolean
}

/**
 * Redrives letters, one a commit. Within a parked stream they go in order, the first failure stops it, and the last letter
 * unparks it. Resolves with what the document of the redrive says. Two operators conflict at the head of the stream.
 */
export async function redriveLetters(id: string, chosen: Fields, parts: RedriveParts): Promise<Fields> {
  const { store, clock } = parts
  const progress = await progressOf(store, id)
  const redrive: Redrive = { ...parts, progress, until: clock.now() + LONGEST_MS, isNamed: chosen.id !== undefined }
  try {
    for await (const letter of listed(store, chosen, progress.after)) {
      const key = String(letter.key ?? letter._id)
      if (isChosen(letter, chosen) && !progress.blockedStreams.includes(key)) await redriveStream(redrive, letter, key)
      progress.after = { _id: letter._id, at: letter.at ?? '' }
      assertTimeLeft(redrive)
    }
  } catch (error) {
    await store.commit([{ collection: redriveProgress, put: [{ _id: id, ...progress }] }]).catch(() => undefined)
    throw error
  }
  const { redriven, failed, failures } = progress
  return { redriven, failed, failures }
}

async function progressOf(store: Store, id: string): Promise<Progress> {
  const kept = (await store.get(redriveProgress, [id])).get(id)
  const { _id, ...progress } = kept ?? { _id: id, redriven: 0, failed: [], failures: 0, blockedStreams: [] }
  return progress as Progress
}

/** The letter with the id that was asked for, or all in order of arrival. */
async function* listed(store: Store, { id }: Fields, begin: Document | undefined): AsyncGenerator<Document> {
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

function assertTimeLeft({ clock, until }: Redrive): void {
  if (clock.now() > until)
    throw new Unavailable('store', 'more letters than one delivery redrives: the next one continues')
}

/** Redrives a letter; of a parked stream all letters from its first, up to one that fails. */
async function redriveStream(redrive: Redrive, letter: Document, key: string): Promise<void> {
  const { store, progress } = redrive
  const isParked = letter.key !== undefined
  for (;;) {
    assertTimeLeft(redrive)
    const [first] = isParked ? await store.find(letters, { index: 'stream', where: { key }, limit: 1 }) : [letter]
    if (!first) return
    const failure = await redriveOne(redrive, first)
    report(redrive, first, failure)
    if (failure && isParked) progress.blockedStreams.push(key)
    if (failure || !isParked) return
  }
}

function report({ progress, logger }: Redrive, letter: Document, failure: Failure | undefined): void {
  if (!failure) {
    progress.redriven++
    return
  }
  const { _id: id, domain, type, stream } = letter
  const { message, ...frames } = failure
  logger.warn({ command: id, domain, type, stream, detail: message, ...frames }, 'a redriven letter failed again')
  progress.failures++
  if (progress.failed.length < MAX_REPORTED) progress.failed.push({ id, error: message, ...frames })
}

/** The failure of a letter that still fails, or nothing. A letter that was refused has not been held to the horizon yet. */
async function redriveOne(redrive: Redrive, letter: Document): Promise<Failure | undefined> {
  const { known, judge, clock, isNamed } = redrive
  const delivery = deliveryOf(letter)
  const read = readCommand(delivery, known, keptVerdict(letter, delivery, judge))
  if (!read.ok) return read.failure
  const { received } = read
  const { domain } = received
  if (actsOnLetters(domain)) return { message: 'a command that acts on letters is not redriven: send it again' }
  const isBeyond = letter.verdict === 'refused' && isBeyondHorizon(received, clock.now())
  if (isBeyond && !isNamed) return { message: `${horizonReason(received)}: redrive it by its id` }
  try {
    const applier = domain.kind === 'decide' ? decideApplier(domain, redrive) : appendApplier(domain, redrive)
    const result = await applier.redrive(received, letter)
    if (result) logOutcome(redrive, received, result)
    return undefined
  } catch (error) {
    if (isTransient(error)) throw error
    return failureOf(error)
  }
}

/** A redriven command has its line in the log, like any other one. */
function logOutcome({ logger, clock }: Redrive, received: ReceivedCommand, { status, report = {} }: ApplyResult): void {
  const { command, delivery } = received
  const fields = {
    command: command.id,
    trace: traceIdOf(delivery),
    status,
    ...detailsOf(received, clock.now()),
    ...report,
  }
  logger.debug(fields, endOf(report))
}
