import { heads, letters, receipts, streamKey } from '#core/collections.ts'
import { rejectionId } from '#core/ledger.ts'
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

/**
 * Reads heads first, and everything else after them. The commit is a compare-and-set on every head, so what was read of a
 * stream is what the commit builds on, or the commit conflicts.
 */
export async function loadBatch(
  domain: DecideDomain,
  batch: ReceivedCommand[],
  { store }: ApplierParts,
  redriven?: Document,
): Promise<LoadedBatch> {
  const keys = [...new Set(batch.map(keyOf))]
  const ids = batch.map(({ command }) => command.id)
  const found = await store.get(heads, keys)
  const beside = redriven ? batch.map(({ command, hash }) => rejectionId(command.id, hash)) : []
  const [known, kept, documents, followed] = await Promise.all([
    store.get(receipts, [...ids, ...beside]),
    store.get(letters, ids),
    loadDocuments(
      domain,
      batch.map(({ command }) => command),
      (collection, ids) => store.get(collection, ids),
    ),
    redriven?.key === undefined ? false : isFollowed(store, redriven),
  ])
  const loaded: LoadedBatch = {
    heads: new Map(keys.map((key) => [key, headOf(key, found.get(key))])),
    receipts: known,
    letters: kept,
    documents,
  }
  if (!redriven) return loaded
  return {
    ...loaded,
    receipts: without(known, beside),
    letters: without(kept, [redriven._id]),
    redrive: { letter: redriven, isFollowed: followed, hasReceipt: beside.some((id) => known.has(id)) },
  }
}

const without = (documents: ReadonlyMap<string, Document>, ids: string[]): ReadonlyMap<string, Document> =>
  new Map([...documents].filter(([id]) => !ids.includes(id)))
