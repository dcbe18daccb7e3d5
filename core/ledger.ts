import type { Document } from '#domains/domain.ts'

/** A command among all: two bodies under one id are two commands. */
export interface Identity {
  id: string
  hash: string
}

/** What the store holds under the ids of commands. A map that was not read counts as empty. */
export interface Ledger {
  /** The documents of an append domain, by command id. */
  documents?: ReadonlyMap<string, Document>
  /** By command id, or by `rejectionId`. */
  receipts?: ReadonlyMap<string, Document>
  /** By command id, or by `rejectionId`. */
  letters?: ReadonlyMap<string, Document>
}

/** How a command stands in the ledger. */
export type Standing =
  /** Nothing is known of its id. */
  | { kind: 'new' }
  /** Its body has its outcome. */
  | { kind: 'settled' }
  /** Its body is kept as a letter. */
  | { kind: 'kept'; letter: Document }
  /** Another body was first under its id. */
  | { kind: 'reused' }

/** Where the outcome of one body, or a letter beside another one's, has its place. */
export const rejectionId = (id: string, hash: string): string => `${id}.${hash}`

/**
 * The first command with an id wins: its document or its outcome goes before everything else, then this body's letter, then
 * the end of that letter.
 */
export function standingOf({ id, hash }: Identity, { documents, receipts, letters }: Ledger): Standing {
  const document = documents?.get(id)
  if (document) return { kind: document._hash === hash ? 'settled' : 'reused' }
  const outcome = receipts?.get(id)
  if (outcome) return { kind: outcome.hash === hash ? 'settled' : 'reused' }
  const beside = rejectionId(id, hash)
  const letter = [letters?.get(id), letters?.get(beside)].find((letter) => letter?.hash === hash)
  if (letter) return { kind: 'kept', letter }
  if (receipts?.has(beside)) return { kind: 'settled' }
  return { kind: letters?.has(id) ? 'reused' : 'new' }
}
