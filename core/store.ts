import type { Collection, Document, Fields, Json } from '#domains/domain.ts'

/**
 * The store port. Two adapters, one contract suite (test/contracts/store*.ts): embedded (node:sqlite) and mongodb.
 * Every method rejects with `Unavailable` in an outage and with another error for a mistake. Writes are durable
 * (majority and journal; fsync) when they resolve; reads are from the primary and see what is durable.
 */
export interface Store {
  /** Makes the collections and their indexes. Safe to repeat. */
  prepare(collections: StoredCollection[]): Promise<void>
  /**
   * One unordered bulk insert. Resolves with the ids that existed before and are unchanged; every other document
   * is durable. Rejects with `Refused` when some documents can't be stored; the others are stored.
   */
  insert(collection: StoredCollection, documents: Document[]): Promise<Set<string>>
  /**
   * Writes everything or nothing. Rejects with `Conflict` when an id to insert exists, a generation is not the previous one or a
   * document belongs to another stream: another writer was first, and nothing was written.
   */
  commit(writes: Write[]): Promise<void>
  get(collection: StoredCollection, ids: string[]): Promise<Map<string, Document>>
  /** Documents in the order of the index, `_id` last. Documents without a field, or with null in it, come first. */
  find(collection: StoredCollection, query: Find): Promise<Document[]>
  /**
   * The number of selected documents in each group, sorted by key. The cost grows with the selection. Rejects with
   * `TooManyGroups` for more than `limit` groups, since a truncated count is wrong.
   */
  count(collection: StoredCollection, query: Count): Promise<Counted[]>
  remove(collection: StoredCollection, ids: string[]): Promise<void>
  /**
   * Documents as they are inserted, by any call (also the first `put` or `swap` of a document), from the first
   * `next()` on or from after `resume`; ends when `signal` aborts. All watchers get them in the same order, in which
   * the inserts of a call precede those of a call that began after its end, and the inserts of a commit are in the order of
   * its `insert`. Throws `ResumeLost` when the inserts after `resume` are no longer known.
   */
  watch(collection: StoredCollection, options: WatchOptions): AsyncIterable<Inserted>
  /**
   * The ids of documents as they are inserted in these collections, by any call, each once its document can be read. Items may be
   * empty. After the first one all later inserts follow, among other ids. It costs less than `watch` and promises less: ids
   * may be late, and are lost in an outage. Ends or throws `Unavailable` when the store closes.
   */
  watchIds(collections: StoredCollection[]): AsyncIterable<string[]>
  /** Rejects unless a small write becomes durable now: a read-only store is not healthy. */
  ping(): Promise<void>
  close(): Promise<void>
}

export interface StoredCollection extends Collection {
  /**
   * The seconds after which a document may be removed, counted from its insert (or last put or swap). `prepare` applies
   * a change to existing documents too. For documents from before the first expiry it counts from that `prepare` at the latest.
   */
  expireAfter?: number
  /** The field with the time (ISO 8601) that the expiry counts from instead, in documents that have it. */
  expireFrom?: string
}

/** The writes to one collection in a commit. An id occurs at most once in a commit. */
export interface Write {
  collection: StoredCollection
  /** None of them may exist. */
  insert?: Document[]
  /** Replaced, or inserted where missing. */
  put?: Document[]
  remove?: string[]
  /** Compare-and-set: each has a `generation` and replaces the document with the previous one; 1 is the first. */
  swap?: (Document & { generation: number })[]
  /** Replaced, or inserted where missing. A replaced document has the same `_stream`, or none. */
  own?: Owned[]
  /** Removed. Each exists and has the same `_stream`, or none. */
  disown?: Pick<Owned, '_id' | '_stream'>[]
}

/** A document with the stream that it belongs to. */
export type Owned = Document & { _stream: string }

/** A selection of an index's documents. */
export interface Selection {
  index: string
  /** Equality on a prefix of the index's fields. For an index with `each` it includes one item of that list. */
  where?: Fields
  /** Bounds of the first field after those of `where`. They find values of their own type only, so neither null nor missing values. */
  range?: Range
}

/** From `from`, inclusive, to `to`, exclusive. */
export interface Range {
  from?: string | number
  to?: string | number
}

export interface Find extends Selection {
  /** The last document of the previous page: the next page begins after it. */
  after?: Document
  newestFirst?: boolean
  /** The number of documents to leave out before the first; each costs a step in the index. Not together with `after`. */
  skip?: number
  limit: number
}

export interface Count extends Selection {
  by: Group[]
  limit: number
  /** The most documents to count, which bounds the cost. */
  upTo?: number
}

/** A field with text or numbers, or the first `length` characters of its text: sixteen of an ISO time are its minute. */
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
  /** True: ends after the documents that existed at the time of the call, instead of waiting for more. */
  untilNow?: boolean
  /** Called before the first document with the resume token that every document follows; not called if a document follows at once. */
  onBegun?(place: string): void
}

export interface Inserted {
  document: Document
  /** An opaque token to resume from. */
  resume: string
}

/** Some documents can't be stored (too large, an invalid name). This is an error of the documents, not an outage. */
export class Refused extends Error {
  override name = 'Refused'
  readonly reasons: ReadonlyMap<string, string>

  constructor(reasons: ReadonlyMap<string, string>, options?: ErrorOptions) {
    super([...reasons].map(([id, reason]) => `${id}: ${reason}`).join('; '), options)
    this.reasons = reasons
  }
}

/** Another writer was first: read again and decide again. */
export class Conflict extends Error {
  override name = 'Conflict'
}

export class ResumeLost extends Error {
  override name = 'ResumeLost'
}

/** The query needs a shorter range or longer groups. */
export class TooManyGroups extends Error {
  override name = 'TooManyGroups'

  constructor({ limit }: Count) {
    super(`store: there are more than ${limit} groups`)
  }
}
