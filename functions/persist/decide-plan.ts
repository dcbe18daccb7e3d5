import type { DocumentChange } from '#core/changes.ts'
import { standingOf } from '#core/ledger.ts'
import { redrivenReceipt, reusedKeyReceipt } from '#core/receipts.ts'
import type { Write } from '#core/store.ts'
import type { DecideDomain, Document, Event } from '#domains/domain.ts'
import { type ApplyResult, DONE, REPEATED } from './applier.ts'
import { type BatchDocuments, batchDocuments, freeze, project } from './batch-documents.ts'
import { identityOf, type ReceivedCommand } from './command.ts'
import { keyOf, type LoadedBatch } from './decide-load.ts'
import { BEHIND_PARKED, resultOfLetter, unappliedOf } from './letter.ts'
import { type Head, nextLetter } from './stream.ts'

/** What becomes of a batch: the result of each command, and everything that is written for it. */
export interface Plan {
  results: Map<ReceivedCommand, ApplyResult>
  /** The errors of commands whose own rules threw. Commands behind them, in their streams or with their ids, have neither. */
  faults: Map<ReceivedCommand, unknown>
  /** The heads of all streams that change. */
  heads: Head[]
  events: Event[]
  receipts: Document[]
  /** The receipts of bodies whose id another body had first. They may be there. */
  reusedKeys: Document[]
  letters: Document[]
  removedLetters: string[]
  documents: Write[]
  /** The documents of these writes, before and after. */
  changes: DocumentChange[]
}

type Decided = { status: 'applied' } | { status: 'rejected'; reason: string; isStale?: true }

/** A plan in the making. */
interface Draft extends Plan {
  domain: DecideDomain
  loaded: LoadedBatch
  now: number
  streams: ReadonlyMap<string, Head>
  changed: Set<Head>
  known: { receipts: Map<string, Document>; letters: Map<string, Document> }
  working: BatchDocuments
}

/** Decides on the commands of a batch, in their order. */
export function planBatch(domain: DecideDomain, batch: ReceivedCommand[], loaded: LoadedBatch, now: number): Plan {
  const draft = newDraft(domain, loaded, now)
  /** Streams and ids, which a colon tells apart, behind a command that failed. */
  const blocked = new Set<string>()
  for (const received of batch) {
    const key = keyOf(received)
    const { id } = received.command
    try {
      if (!blocked.has(key) && !blocked.has(id)) draft.results.set(received, settle(draft, received))
    } catch (error) {
      blocked.add(key)
      draft.faults.set(received, error)
    }
    if (!draft.results.has(received)) blocked.add(id)
  }
  return finished(draft, batch)
}

const newDraft = (domain: DecideDomain, loaded: LoadedBatch, now: number): Draft => ({
  domain,
  loaded,
  now,
  streams: new Map([...loaded.heads].map(([key, head]) => [key, { ...head }])),
  changed: new Set(),
  known: { receipts: new Map(loaded.receipts), letters: new Map(loaded.letters) },
  working: batchDocuments(domain, loaded.documents),
  results: new Map(),
  faults: new Map(),
  heads: [],
  events: [],
  receipts: [],
  reusedKeys: [],
  letters: [],
  removedLetters: [],
  documents: [],
  changes: [],
})

function finished(draft: Draft, batch: ReceivedCommand[]): Plan {
  const { results, faults, changed, events, receipts, reusedKeys, letters, working, now } = draft
  const { redrive } = draft.loaded
  const isUnparked = redrive !== undefined && redrive.letter.key === undefined
  const ended = isUnparked && !redrive.hasReceipt && reusedKeys.length === 0 ? batch.map(identityOf) : []
  return {
    results,
    faults,
    heads: [...changed],
    events,
    receipts: [...receipts, ...ended.map((command) => redrivenReceipt(command, now))],
    reusedKeys,
    letters,
    removedLetters: redrive ? [redrive.letter._id] : [],
    documents: working.writes(),
    changes: working.changes(),
  }
}

function settle(draft: Draft, received: ReceivedCommand): ApplyResult {
  const { known, now } = draft
  const { redrive } = draft.loaded
  const head = draft.streams.get(keyOf(received)) as Head
  const command = identityOf(received)
  const standing = standingOf(command, known)
  if (standing.kind === 'kept') return resultOfLetter(standing.letter)
  if (standing.kind === 'reused') draft.reusedKeys.push(reusedKeyReceipt(command, now))
  const report = standing.kind === 'new' ? applyNew(draft, received, head) : undefined
  if (redrive && redrive.letter.key !== undefined) {
    head.isParked = redrive.isFollowed
    draft.changed.add(head)
  }
  if (standing.kind !== 'new') return REPEATED
  return report ? { ...DONE, report } : DONE
}

/** Returns what the log says of a command that took no effect. */
function applyNew(draft: Draft, received: ReceivedCommand, head: Head): object | undefined {
  const { redrive } = draft.loaded
  if (head.isParked && !redrive) return keepBehind(draft, received, head)
  if (head.isParked && redrive?.letter.key === undefined)
    throw new Error("its stream is parked: redrive the stream's first letter first")
  const decided = decide(draft, received, head)
  conclude(draft, received, head, decided)
  return decided.status === 'rejected' ? { rejected: decided.reason } : undefined
}

/** Runs the rules. Nothing of it counts when they throw. */
function decide(draft: Draft, { command, expected }: ReceivedCommand, head: Head): Decided {
  const { domain } = draft
  if (expected !== undefined && expected !== head.version) {
    const reason = `the stream is at version ${head.version}, not ${expected}`
    return { status: 'rejected', reason, isStale: true }
  }
  const documents = draft.working.begin(domain.touches(command), command.stream)
  const decision = domain.decide(freeze(command), documents)
  if ('rejected' in decision) return { status: 'rejected', reason: decision.rejected }
  const { id, time, actor, stream } = command
  const events = decision.events.map(
    (event, index): Event => ({ ...event, stream, number: head.version + index + 1, command: id, time, actor }),
  )
  project(domain, freeze(events), documents)
  documents.keep()
  draft.events.push(...events)
  head.version += events.length
  return { status: 'applied' }
}

function conclude(draft: Draft, { command, hash }: ReceivedCommand, head: Head, decided: Decided): void {
  const receipt = { _id: command.id, hash, at: new Date(draft.now).toISOString(), ...decided }
  draft.changed.add(head)
  draft.receipts.push(receipt)
  draft.known.receipts.set(command.id, receipt)
}

function keepBehind(draft: Draft, received: ReceivedCommand, head: Head): object {
  const letter = nextLetter(head, unappliedOf(received, { message: BEHIND_PARKED }, 0), draft.now)
  draft.changed.add(head)
  draft.letters.push(letter)
  draft.known.letters.set(letter._id, letter)
  return { kept: BEHIND_PARKED }
}
