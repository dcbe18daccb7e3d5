import { heads, letters, receipts, streamKey } from '#core/collections.ts'
import { rejectionId } from '#core/ledger.ts'
import type { Store } from '#core/store.ts'
import type { DecideDomain, Document } from '#domains/domain.ts'
import type { ApplierParts } from './applier.ts'
import { type LoadedDocuments, loadDocuments } from './batch-documents.ts'
import type { ReceivedCommand } from './command.ts'
import { type Head, headOf, isFollowed } from './stream.ts'

/** What the store knows about a batch, as it was read. */
export interface LoadedBatch {
  /** By the streams' keys. */
  heads: ReadonlyMap<string, Readonly<Head>>
  /** By command id. */
  receipts: ReadonlyMap<string, Document>
  /** By command id, without the letter that is redriven. */
  letters: ReadonlyMap<string, Document>
  documents: LoadedDocuments
  redrive?: LoadedRedrive
}

/** What the store knows about a letter that is redriven, beside its command. */
export interface LoadedRedrive {
  letter: Document
  /** True when other letters of its stream wait behind it. */
  isFollowed: boolean
  /** True when the end of the letter has its receipt. */
  hasReceipt: boolean
}

export const keyOf = ({ domain, command }: ReceivedCommand): string => streamKey(domain.name, command.stream)

type LoadedWithoutHeads = Omit<LoadedBatch, 'heads' | 'redrive'>

/**
 * Reads heads first, and everything else after them, but for a batch of commands that begin streams. The commit is a compare-and-set
 * on every head, so what was read of a stream is what the commit builds on, or the commit conflicts. A stream that has no head had
 * nothing before it was looked for either. So such a batch reads everything at once, and reads again if a stream has a head.
 */
export async function loadBatch(
  domain: DecideDomain,
  batch: ReceivedCommand[],
  { store }: ApplierParts,
  redriven?: Document,
): Promise<LoadedBatch> {
  const keys = [...new Set(batch.map(keyOf))]
  const early = batch.every(isNamedAfter) ? loadBeside(domain, batch, store) : undefined
  const [found, first] = await Promise.all([store.get(heads, keys), early])
  const [beside, redrive] = await Promise.all([
    first && found.size === 0 ? first : loadBeside(domain, batch, store),
    redriven && loadRedrive(batch, redriven, store),
  ])
  const loaded = { ...beside, heads: new Map(keys.map((key) => [key, headOf(key, found.get(key))])) }
  return redrive ? { ...loaded, letters: without(loaded.letters, redrive.letter._id), redrive } : loaded
}

/** True for a command whose stream is named after it, so that no other can have come before it there, as a rule. */
const isNamedAfter = ({ command }: ReceivedCommand): boolean => command.stream.includes(command.id)

async function loadBeside(domain: DecideDomain, batch: ReceivedCommand[], store: Store): Promise<LoadedWithoutHeads> {
  const commands = batch.map(({ command }) => command)
  const ids = commands.map(({ id }) => id)
  const [known, kept, documents] = await Promise.all([
    store.get(receipts, ids),
    store.get(letters, ids),
    loadDocuments(domain, commands, (collection, ids) => store.get(collection, ids)),
  ])
  return { receipts: known, letters: kept, documents }
}

async function loadRedrive(batch: ReceivedCommand[], letter: Document, store: Store): Promise<LoadedRedrive> {
  const ends = batch.map(({ command, hash }) => rejectionId(command.id, hash))
  const [ended, followed] = await Promise.all([
    store.get(receipts, ends),
    letter.key === undefined ? false : isFollowed(store, letter),
  ])
  return { letter, isFollowed: followed, hasReceipt: ended.size > 0 }
}

const without = (documents: ReadonlyMap<string, Document>, id: string): ReadonlyMap<string, Document> =>
  new Map([...documents].filter(([other]) => other !== id))
