import type { Collection, Document, Fields, Json } from '#domains/domain.ts'

/**
 * The store port. Two adapters, one contract suite (contract.ts): embedded (node:sqlite) and mongodb.
 * Every method rejects with `Unavailable` in an outage and with another error for a mistake. Writes are durable
 * (majority and journal; fsync) when they resolve; reads are from the primary and see what is durable.
 */
export interface Store {
  /** Makes the collections and their indexes. Safe to repeat. */
  prepare(collections: StoredCollection[]): Promise<void>
  /**
   * One unordered bulk insert. Resolves with the ids that were there before and stayed untouched; every other document
   * is durable. Rejects with `Refused` when single documents can't be stored: the others are.
   */
  insert(collection: StoredCollection, documents: Document[]): Promise<Set<string>>
  /**
   * All of it or nothing. Rejects with `Conflict` when an id to insert is there or a generation is not the one before:
   * somebody else was first, and nothing was written.
   */
  commit(writes: Write[]): Promise<void>
  get(collection: StoredCollection, ids: string[]): Promise<Map<string, Document>>
  /** In the order of the index, `_id` last. Documents without a field, or with null in it, are the lowest. */
  find(collection: StoredCollection, query: Find): Promise<Document[]>
  /** Adds one to the counters with these ids, makes those that are missing, and resolves with their new values. */
  increment(collection: StoredCollection, ids: string[]): Promise<Map<string, number>>
  remove(collection: StoredCollection, ids: string[]): Promise<void>
  /**
   * Documents as they are inserted, from the first `next()` on or from after `resume`; ends when `signal` aborts.
   * Throws `ResumeLost` when what follows `resume` is no longer known.
   */
  watch(collection: StoredCollection, options: { resume?: string; signal: AbortSignal }): AsyncIterable<Inserted>
  ping(): Promise<void>
  close(): Promise<void>
}

/** `expireAfter`: seconds after which a document may be removed, counted from its insert (or last increment, put or swap). */
export interface StoredCollection extends Collection {
  expireAfter?: number
}

/** What is written to one collection in a commit. An id stands in one write of a commit at most. */
export interface Write {
  collection: StoredCollection
  /** None of them may be there. */
  insert?: Document[]
  /** Replaced, or inserted where missing. */
  put?: Document[]
  remove?: string[]
  /** Compare-and-set: each has a `generation`, and replaces the document with the one before; 1 is its first. */
  swap?: (Document & { generation: number })[]
}

export interface Find {
  index: string
  /** Equality on a prefix of the index's fields. */
  where?: Fields
  /** The last document of the page before: the next page begins behind it. */
  after?: Document
  newestFirst?: boolean
  limit: number
}

export interface Inserted {
  document: Document
  /** An opaque token to go on from. */
  resume: string
}

/** The fields of a declared index. Throws for one that isn't declared. */
export function fieldsOf({ name, indexes }: StoredCollection, index: string): string[] {
  const fields = indexes[index]?.fields
  if (!fields) throw new Error(`store: collection ${name} has no index ${index}`)
  return fields
}

/** What an index compares. Throws for a list or an object, which a store might take for an operator. */
export function scalar(value: Json): string | number | boolean | null {
  if (value !== null && typeof value === 'object') throw new Error('store: an index compares scalars only')
  return value
}

/** Some documents can't be stored by their nature (too large, a bad name): a fault of theirs, not an outage. */
export class Refused extends Error {
  override name = 'Refused'
  readonly reasons: ReadonlyMap<string, string>

  constructor(reasons: ReadonlyMap<string, string>, options?: ErrorOptions) {
    super([...reasons].map(([id, reason]) => `${id}: ${reason}`).join('; '), options)
    this.reasons = reasons
  }
}

/** Somebody else wrote first: read again and decide anew. */
export class Conflict extends Error {
  override name = 'Conflict'
}

export class ResumeLost extends Error {
  override name = 'ResumeLost'
}
