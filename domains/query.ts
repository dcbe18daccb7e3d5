import type { z } from 'zod'
import type { Document, Fields } from './domain.ts'

/**
 * What a query answers: a keyset page, one document by its id, the whole collection as a stream, a domain's tally, or a fault
 * on purpose.
 */
export type Query = PageQuery | OneQuery | AllQuery | TotalQuery | FaultQuery

interface Asked {
  path: string
  /** Its name in the typed client, within the domain: `threads.list` of the forum is `client.forum.threads.list(params)`. */
  name?: string
  /** A few words for the docs. */
  summary?: string
  /** What `shape` gives, for the docs and the types of the client. */
  item?: z.ZodType
}

/** The name of the collection that a query reads; it may be left out where the domain has only one. */
interface Reading {
  from?: string
}

export interface PageQuery extends Asked, Reading {
  answers: 'page'
  /** `limit`, `cursor` and `after` are always there and need not be declared. */
  params?: z.ZodObject
  index: string
  /** Equality on a prefix of the index's fields. */
  where?(params: Fields): Fields
  newestFirst?: boolean
  shape(document: Document): Fields
}

export interface OneQuery extends Asked, Reading {
  answers: 'one'
  /** Has `{id}` in it. */
  path: string
  shape(document: Document): Fields
}

export interface AllQuery extends Asked, Reading {
  answers: 'all'
  index: string
  shape(document: Document): Fields
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
