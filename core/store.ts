import type { Collection, Document, Fields, Index, Json } from '#domains/domain.ts'

/**
 * The store port. Two adapters, one contract suite (test/contracts/store*.ts): embedded (node:sqlite) and mongodb.
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
   * All of it or nothing. Rejects with `Conflict` when an id to insert is there, a generation is not the one before or a
   * document belongs to another stream: somebody else was first, and nothing was written.
   */
  commit(writes: Write[]): Promise<void>
  get(collection: StoredCollection, ids: string[]): Promise<Map<string, Document>>
  /** In the order of the index, `_id` last. Documents without a field, or with null in it, are the lowest. */
  find(collection: StoredCollection, query: Find): Promise<Document[]>
  /**
   * How many documents of an index's part are in each group, sorted by key. It costs what the part is large. Rejects with
   * `TooManyGroups` where there are more than `limit`, since what is cut off a count makes it wrong.
   */
  count(collection: StoredCollection, query: Count): Promise<Counted[]>
  remove(collection: StoredCollection, ids: string[]): Promise<void>
  /**
   * Documents as they are inserted, by whatever call (also the first of a `put`, a `swap` or a count), from the first
   * `next()` on or from after `resume`; ends when `signal` aborts. Everybody who watches has them in the same order, in which
   * what a call inserts comes before what a call that began after its end inserts, and what a commit inserts in the order of
   * its `insert`. Throws `ResumeLost` when what follows `resume` is no longer known.
   */
  watch(collection: StoredCollection, options: WatchOptions): AsyncIterable<Inserted>
  /** Rejects unless a small write becomes durable now: a store that can only be read is not well. */
  ping(): Promise<void>
  close(): Promise<void>
}

export interface StoredCollection extends Collection {
  /**
   * Seconds after which a document may be removed, counted from its insert (or last put or swap). `prepare` takes over
   * what has changed, also for what is there; for what is older than any expiry, it counts from then at the latest.
   */
  expireAfter?: number
  /** The field with the time (ISO 8601) from which it is counted instead, in documents that have it. */
  expireFrom?: string
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
  /** Replaced, or inserted where missing. What is replaced has the same `_stream`, or none. */
  own?: Owned[]
  /** Removed. Each is there and has the same `_stream`, or none. */
  disown?: Pick<Owned, '_id' | '_stream'>[]
}

/** A document with the stream that it belongs to. */
export type Owned = Document & { _stream: string }

/** Which documents of an index. */
export interface Selection {
  index: string
  /** Equality on a prefix of the index's fields. With an `each` one item of that list is among them. */
  where?: Fields
  /** Bounds of the first field behind those of `where`. They find values of their own type: neither null nor none. */
  range?: Range
}

/** `from` belongs to it, `to` does not. */
export interface Range {
  from?: string | number
  to?: string | number
}

export interface Find extends Selection {
  /** The last document of the page before: the next page begins behind it. */
  after?: Document
  newestFirst?: boolean
  /** The number of documents to leave out before the first; each costs a step in the index. Not together with `after`. */
  skip?: number
  limit: number
}

export interface Count extends Selection {
  by: Group[]
  limit: number
  /** The number of documents to count at most: it then costs no more than these. */
  upTo?: number
}

/** A field that holds text or numbers, or as many first characters of its text: sixteen of an ISO time are its minute. */
export interface Group {
  field: string
  length?: number
}

/** The key has a value for each group; null where a document has none. */
export interface Counted {
  key: Json[]
  count: number
}

export interface WatchOptions {
  resume?: string
  signal: AbortSignal
  /** Ends once it has given all that was there when it was asked, instead of waiting for more. */
  untilNow?: boolean
  /** Told, before any document, the place behind which all will be given; not told where a document is there at once. */
  onBegun?(place: string): void
}

export interface Inserted {
  document: Document
  /** An opaque token to go on from. */
  resume: string
}

/** An index as it is declared. Throws for one that isn't. */
export function indexOf({ name, indexes }: StoredCollection, index: string): Index {
  const found = indexes[index]
  if (!found) throw new Error(`store: collection ${name} has no index ${index}`)
  return found
}

export const fieldsOf = (collection: StoredCollection, index: string): string[] => indexOf(collection, index).fields

export type Scalar = string | number | boolean | null

/** What an index compares. Throws for a list or an object, which a store might take for an operator. */
export function scalar(value: Json): Scalar {
  if (value !== null && typeof value === 'object') throw new Error('store: an index compares scalars only')
  return value
}

/** The time from which it counts when a document expires. */
export function countsFrom(document: Document, { expireFrom }: StoredCollection, now: number): number {
  const time = expireFrom === undefined ? undefined : document[expireFrom]
  const from = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(from) ? now : from
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

/** Ask for less: a shorter range, longer times. */
export class TooManyGroups extends Error {
  override name = 'TooManyGroups'

  constructor({ limit }: Count) {
    super(`store: there are more than ${limit} groups`)
  }
}
