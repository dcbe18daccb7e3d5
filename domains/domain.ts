import type { z } from 'zod'

/**
 * The contract between a domain and Millrace. A domain is a folder with a `domain.ts` that default-exports one of these;
 * it imports zod and this file, and knows nothing of HTTP, Kafka or MongoDB.
 */
export type Domain = AppendDomain

/** A value that every store keeps and gives back unchanged. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

export type Fields = { [name: string]: Json }

/** What a query reads. `_id` is unique in its collection; `_hash` is reserved for the hash of the command's body. */
export type Document = Fields & { _id: string }

/** A domain whose commands each become one document, `_id` = command id. Nothing to decide, so order does not matter. */
export interface AppendDomain {
  kind: 'append'
  name: string
  topic: Topic
  /** By CloudEvent type. A type belongs to one domain. */
  commands: { [type: string]: CommandType }
  documents: Documents
  queries: Query[]
}

export interface Topic {
  name: string
  partitions: number
  /** How a command's data stands in the record's value; JSON unless said. `decode` may throw: the record becomes a letter. */
  record?: RecordForm
  /** The command type of a bare record (not a CloudEvent) that an old producer wrote; without it such a record becomes a letter. */
  plain?: string
}

export interface RecordForm {
  contentType: string
  encode(data: unknown): string
  decode(value: string): unknown
}

/** Bounds what a client may send and says what it is about. */
export interface CommandType {
  data: z.ZodType<Fields>
  /** The partition key and the unit of order, such as `tutorial/42`. `id` is the command id. */
  stream(data: Fields, id: string): string
  routes: Route[]
}

/** A way in over HTTP. `{id}` in `created` is replaced by the command id. */
export interface Route {
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  /** `text` routes take text/plain and hand the text to `read`; `json` routes take application/json. */
  body: 'json' | 'text'
  /** Turns the parsed body into the command's data, which is then checked against its schema. */
  read?(body: unknown): unknown
  /** Answer 200 with this text once the log has the command, instead of 202 with a receipt. */
  text?: string
  /** Where the outcome is read once it is applied. */
  created?: string
}

/** A command as rules see it: checked, with its time, id and actor. Rules have no clock and no randomness of their own. */
export interface Command {
  id: string
  type: string
  stream: string
  /** ISO 8601, UTC: when publish accepted it; for a bare record, the record's time. */
  time: string
  actor: string
  data: Fields
}

export interface Documents {
  collection: Collection
  document(command: Command): Fields
}

export interface Collection {
  name: string
  /** Every query names one of these; `_id` is always the last field, so that an order is total. */
  indexes: { [name: string]: Index }
}

export interface Index {
  fields: string[]
}

/** What a query answers: a keyset page, one document by its id, or the whole collection as a streamed JSON array. */
export type Query = PageQuery | OneQuery | AllQuery

export interface PageQuery {
  answers: 'page'
  path: string
  /** `limit`, `cursor` and `after` are always there and need not be declared. */
  params?: z.ZodObject
  index: string
  /** Equality on a prefix of the index's fields. */
  where?(params: Fields): Fields
  newestFirst?: boolean
  shape(document: Document): Fields
}

export interface OneQuery {
  answers: 'one'
  /** Has `{id}` in it. */
  path: string
  shape(document: Document): Fields
}

export interface AllQuery {
  answers: 'all'
  path: string
  index: string
  shape(document: Document): Fields
}
