import type { z } from 'zod'
import type { Caller, Document, Event, Fields, Json, Touch, View } from './domain.ts'

/**
 * What a query answers: a keyset page, one document by its id, some documents put together, the whole collection as a
 * stream, what happened in a stream, what happens from now on, counts by group, a domain's tally, or a
 * fault on purpose.
 */
export type Query =
  | PageQuery
  | OneQuery
  | ViewQuery
  | AllQuery
  | HistoryQuery
  | LiveQuery
  | CountQuery
  | TotalQuery
  | FaultQuery

interface Asked {
  /** `{name}`s of it are parameters like those behind the question mark. */
  path: string
  /** What a caller needs to be given an answer; open to all where nothing is said. */
  scope?: string
  /** Its name in the typed client, within the domain: `threads.list` of the forum is `client.forum.threads.list(params)`. */
  name?: string
  /** A few words for the docs. */
  summary?: string
  /**
   * The part of `GET /api/overview` that its answer is, and what is asked for there, as behind the question mark; where that
   * is nothing, there is nothing of it for this caller.
   */
  overview?: { part: string; params?(caller: Caller): { [name: string]: string } | undefined }
  /** What `shape` gives, for the docs and the types of the client. */
  item?: z.ZodType
}

interface AskedWith extends Asked {
  /** `after` is always there, on pages `limit` and `cursor` too: they need not be declared. */
  params?: z.ZodObject
  /** Whose documents are asked for: only who belongs to that organisation gets them, or has the scope over all. */
  organisation?(params: Fields): string
  under?: Under
}

/** What an answer hangs on: without it there is none, but 404. */
export interface Under {
  touches(params: Fields): Touch[]
  isThere(documents: View, params: Fields): boolean
}

/** The name of the collection that a query reads; it may be left out where the domain has only one. */
interface Reading {
  from?: string
}

/** Which documents of an index. */
interface Finding {
  index: string | ((params: Fields) => string)
  /** Equality on a prefix of the index's fields. Several fix the same fields and are merged, in the order of those behind. */
  where?(params: Fields): Fields | Fields[]
  /** Bounds of the first field behind those of `where`. */
  range?(params: Fields): Range
}

/** `from` belongs to it, `to` does not. */
export interface Range {
  from?: string | number | undefined
  to?: string | number | undefined
}

/**
 * With `Accept: application/x-ndjson` it answers all that the page begins, a document a line; a line's `cursor` is where it
 * stands.
 */
export interface PageQuery extends AskedWith, Finding {
  answers: 'page'
  /** The name of the collection, where the domain has several; a query that finds by different means reads different ones. */
  from?: string | ((params: Fields) => string)
  newestFirst?: boolean | ((params: Fields) => boolean)
  /** Pages of it can also be asked for by their numbers, with totals, and in an order by its name. */
  numbered?: Numbered
  /** Of those that the index finds, which belong to the answer. Many that don't make a page short, not slow: it has a `next`. */
  keep?(document: Document, params: Fields): boolean
  /** Other documents that `shape` needs of this one. It is asked again, with what was found, until it names nothing new. */
  join?(document: Document, documents: View): Touch[]
  /** Nothing leaves it out: only what it joins tells that it does not belong to the answer. */
  shape(document: Document, documents: View): Fields | undefined
}

/**
 * `page=0&size=20` answers a page by its number with totals, up to 10,000 items. `sort=createdAt,desc` is an order by its name, with
 * or without them.
 */
export interface Numbered {
  /** The parameters that choose the index of each order; `asc` and `desc` are its directions. */
  sorts: { [name: string]: Fields }
  /**
   * True where the index alone finds what belongs to the answer: `keep` and `shape` leave nothing out, and the index is counted. Else
   * documents are read to be counted, 5,000 at most.
   */
  isByIndex?(params: Fields): boolean
}

export interface OneQuery extends Asked, Reading {
  answers: 'one'
  /** Has `{id}` in it. */
  path: string
  shape(document: Document): Fields
}

/** Documents by their ids, put together; nothing is 404. */
export interface ViewQuery extends AskedWith {
  answers: 'view'
  /** It is asked again, with what was found, until it names nothing new. */
  touches(params: Fields, caller: Caller, documents: View): Touch[]
  answer(documents: View, params: Fields, caller: Caller): Json | undefined
}

export interface AllQuery extends Asked, Reading {
  answers: 'all'
  index: string
  shape(document: Document): Fields
}

/** The events of one stream, by number, in pages like those of a PageQuery. */
export interface HistoryQuery extends AskedWith {
  answers: 'history'
  stream(params: Fields): string
  shape(event: Event): Fields
}

/**
 * Server-sent events: what is inserted from now on, or behind `Last-Event-ID`. An event `begun` says that from here on nothing is
 * missed, and `reset` that what is behind that id is no longer known.
 */
export interface LiveQuery extends AskedWith {
  answers: 'live'
  /** A collection of the domain, or what happens in it. */
  of: { collection: string } | 'events'
  keep(inserted: Document, params: Fields): boolean
  shape(inserted: Document): Fields
}

/** How many documents there are of each group, in the groups' order; one that is found by several `where`s counts for each. */
export interface CountQuery extends AskedWith, Reading, Finding {
  answers: 'count'
  by(params: Fields): Group[]
  /** `group` has a value by each name of `by`; null where documents have none. */
  shape(group: Fields, count: number): Fields
}

/** A field, or as many of its first characters: sixteen of an ISO time are its minute. */
export interface Group {
  field: string
  length?: number
}

export interface TotalQuery extends Omit<Asked, 'item'> {
  answers: 'total'
  /** The slots that there are, as JSON text: totals may be larger than a number can say. */
  total(slots: Document[]): string
}

/** Always a 500, to test alerts; there only with FAULT_ROUTES=on. */
export interface FaultQuery extends Omit<Asked, 'item'> {
  answers: 'fault'
}
