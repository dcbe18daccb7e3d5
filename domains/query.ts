import type { z } from 'zod'
import type { Caller, Document, DocumentReader, Event, Fields, Json, Touch } from './domain.ts'

/** A route that reads: `answers` says in which form. */
export type Query =
  | PageQuery
  | OneQuery
  | ComposedQuery
  | AllQuery
  | HistoryQuery
  | LiveQuery
  | CountQuery
  | TotalQuery
  | FaultQuery

/** The members that all queries have. */
interface QueryBase {
  /** Each `{name}` is a parameter, like those of the query string. */
  path: string
  /** The scope that a caller needs; without it everybody may read. */
  scope?: string
  /** The query's name in the typed client, within its domain: the forum's `threads.list` is `client.forum.threads.list(params)`. */
  name?: string
  /** A few words for the API description. */
  summary?: string
  /** Adds the answer to `GET /api/overview` as this part, with these parameters. `undefined` leaves the part out for this caller. */
  overview?: { part: string; params?(caller: Caller): { [name: string]: string } | undefined }
  /** The schema of what `shape` returns, for the API description and the client's types. */
  item?: z.ZodType
}

interface QueryWithParams extends QueryBase {
  /** The schema of the parameters. `after` always exists, on pages `limit` and `cursor` too, without being declared. */
  params?: z.ZodObject
  /** The organisation whose documents these are. Only its members may read them, and callers with the scope over all. */
  organisation?(params: Fields): string
  parent?: Parent
}

/** A parent that must exist, else the answer is 404. */
export interface Parent {
  touches(params: Fields, caller: Caller): Touch[]
  /** False also for a parent that this caller must not know of. */
  exists(documents: DocumentReader, params: Fields, caller: Caller): boolean
}

/** The request that an item answers. */
export interface Asked {
  params: Fields
  caller: Caller
  /** The documents that the page's `join` named. Asking for any other is an error. */
  documents: DocumentReader
  /** In a live list, the document before a change. The caller had its item. */
  before?: Document | undefined
}

/** The name of the collection to read. It is optional if the domain has only one. */
interface FromCollection {
  from?: string
}

/** A choice of documents by an index. */
interface IndexLookup {
  index: string | ((params: Fields, caller: Caller) => string)
  /** The values of the index's first fields. Several choices must fix the same fields; they are merged in the order of the rest. */
  where?(params: Fields, caller: Caller): Fields | Fields[]
  /** The bounds of the first field after those of `where`. */
  range?(params: Fields, caller: Caller): Range
}

/** An interval that includes `from` and excludes `to`. */
export interface Range {
  from?: string | number | undefined
  to?: string | number | undefined
}

/**
 * A list in pages. With `Accept: application/x-ndjson` it streams from the page's start to the list's end, a document a line.
 * The `cursor` of a line resumes after it.
 */
export interface PageQuery extends QueryWithParams, IndexLookup {
  answers: 'page'
  /** The name of the collection, if the domain has several. A function chooses it by the parameters and the caller. */
  from?: string | ((params: Fields, caller: Caller) => string)
  newestFirst?: boolean | ((params: Fields, caller: Caller) => boolean)
  /** Lets clients ask for pages by number, with totals, and for an order by name. */
  numbered?: Numbered
  /**
   * True for a document of the index that belongs to the list. If many do not, a page is short but still has a `next`, which contains
   * the id and the sort fields of the last document that was read. If the caller must not learn these, `where` has to leave it out.
   */
  keep?(document: Document, params: Fields, caller: Caller): boolean
  /** Other documents that `shape` needs. It is called again with what it has named, until it names nothing new. */
  join?(document: Document, documents: DocumentReader, params: Fields, caller: Caller): Touch[]
  /** The item of a document, or `undefined` if what it joins shows that it does not belong to the list. */
  shape(document: Document, asked: Asked): Fields | undefined
}

/** Pages by number: `page=0&size=20` with totals, up to 10,000 items, and an order by name: `sort=createdAt,desc`. */
export interface Numbered {
  /** For each order, the parameters that choose its index. Clients add the direction, `asc` or `desc`. */
  sorts: { [name: string]: Fields }
  /** True when `keep` and `shape` leave nothing out, so that the index is counted. Else at most 5,000 documents are read to count. */
  isByIndex?(params: Fields, caller: Caller): boolean
}

/** One document by its id; 404 if there is none. */
export interface OneQuery extends QueryWithParams, FromCollection {
  answers: 'one'
  /** A path with `{id}` in it. */
  path: string
  /** The answer, or `undefined` for the 404 of a document that does not exist, such as one that is not the caller's. */
  shape(document: Document, asked: Asked): Fields | undefined
}

/** An answer made of several documents, each found by its id. `undefined` is 404. */
export interface ComposedQuery extends QueryWithParams {
  answers: 'composed'
  /** The documents that `answer` needs. It is called again with what it has named, until it names nothing new. */
  touches(params: Fields, caller: Caller, documents: DocumentReader): Touch[]
  answer(documents: DocumentReader, params: Fields, caller: Caller): Json | undefined
}

/** A whole list as one JSON array, streamed. */
export interface AllQuery extends QueryWithParams, FromCollection, IndexLookup {
  answers: 'all'
  /** The item of a document, or `undefined` to leave it out. */
  shape(document: Document, asked: Asked): Fields | undefined
}

/** The events of one stream by number, in pages like those of a PageQuery. */
export interface HistoryQuery extends QueryWithParams {
  answers: 'history'
  stream(params: Fields, caller: Caller): string
  /** The item of an event, or `undefined` if the caller does not get it. */
  shape(event: Event, asked: Asked): Fields | undefined
}

/**
 * Server-sent events from now on, or after `Last-Event-ID`. The event `begun` says that nothing is missed from here on. The event `reset`
 * says that what happened after that id is no longer known, so the client must read again.
 *
 * Events and the documents of an append domain never change: each is an event of the default type. A collection or a view of a decide domain is a
 * live list. A document that enters the list of a client is an event of the default type. It is `changed` when its item changes, and
 * `removed`, with its last item, when it is removed or `keep` becomes false. Several changes of a document in one commit are told as one.
 */
export interface LiveQuery extends QueryWithParams {
  answers: 'live'
  /** A collection of the domain, or the domain's events. */
  of: { collection: string } | 'events'
  /**
   * True for a document that is on this client's list, or for an event that it gets. The client also gets positions after other changes,
   * which it may decode to ids of documents and events, so an id must not be a secret.
   */
  keep(document: Document, params: Fields, caller: Caller): boolean
  /** The item, or `undefined` if the document is not on the list. It is called with the document after a change and before a removal. */
  shape(document: Document, asked: Asked): Fields | undefined
}

/** The number of documents in each group, in the groups' order. A document that several `where`s find counts for each. */
export interface CountQuery extends QueryWithParams, FromCollection, IndexLookup {
  answers: 'count'
  by(params: Fields, caller: Caller): Group[]
  /** The item of a group, which has a value for each field of `by`, or null if its documents have none. */
  shape(group: Fields, count: number, asked: Asked): Fields
}

/** A field to group by, or its first `length` characters: sixteen of an ISO time are its minute. */
export interface Group {
  field: string
  length?: number
}

/**
 * A document of a view that is kept in slots. Without `item` the answer is an integer of any size, and the typed client reads it
 * as a bigint.
 */
export interface TotalQuery extends QueryWithParams {
  answers: 'total'
  /** The name of the view, if the domain has several in slots. */
  from?: string
  /** The key of the document, if the view has several. */
  key?(params: Fields, caller: Caller): string
  /** The sum of the slots as JSON text, since it may exceed what a number holds. A document that no event has changed has none. */
  total(slots: Document[]): string
}

/** Always a 500, to test alerts. The route exists only with FAULT_ROUTES=on. */
export interface FaultQuery extends Omit<QueryBase, 'item'> {
  answers: 'fault'
}
