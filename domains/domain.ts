import type { z } from 'zod'

/**
 * The contract between a domain and Millrace. A domain is a folder with a `domain.ts` that default-exports one of these;
 * it imports zod and this file, and knows nothing of HTTP, Kafka or MongoDB.
 */
export type Domain = AppendDomain | DecideDomain

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

/**
 * A domain whose commands are decided on by rules: `decide` says what happens, `project` what that changes in the
 * documents. Rules are pure: time, id and actor come with the command. Events are numbered within their stream and kept for
 * ever; events, documents and outcome are written together or not at all.
 */
export interface DecideDomain {
  kind: 'decide'
  name: string
  topic: Topic
  /** `ordered` costs a poll of 200 ms for each command; `unordered` where commands of one stream commute or come one at a time. */
  ordering: 'ordered' | 'unordered'
  commands: { [type: string]: CommandType }
  /** What rules and queries read. A document belongs to exactly one stream. */
  collections: Collection[]
  /** The documents that the rules get to see for this command: its own stream's, and those of others for reading. */
  touches(command: Command): Touch[]
  decide(command: Command, documents: View): Decision
  /** What the event changes, in documents of its own stream that `touches` named. */
  project(event: Event, documents: View): Change[]
  tally?: Tally
  queries: Query[]
}

export interface Touch {
  collection: string
  ids: string[]
}

/** The documents that `touches` named, as they are after everything before. */
export interface View {
  get(collection: string, id: string): Document | undefined
}

export type Decision = { events: Happening[] } | { rejected: string }

/** What has happened, in the words of the domain. */
export interface Happening {
  type: string
  data: Fields
}

/** What has happened, as it is kept: numbered from 1 within its stream. */
export interface Event extends Happening {
  stream: string
  number: number
  /** The id of the command that it comes from. */
  command: string
  time: string
  actor: string
}

export type Change = { collection: string; document: Document } | { collection: string; remove: string }

/**
 * A total over all events of a domain, whatever their streams. It is kept in slots, one of which takes a whole batch, so that
 * no document is hot; `add` must not mind in which order and into which slot.
 */
export interface Tally {
  collection: Collection
  zero: Fields
  add(total: Fields, event: Event): Fields
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
  encode(data: Fields, command: { id: string; time: string }): string
  decode(value: string): unknown
  /** The value says the command's id or time too; two values with the same data are then the same body. */
  stamped?: boolean
}

/** Bounds what a client may send and says what it is about. */
export interface CommandType {
  data: z.ZodType<Fields>
  /** The partition key and the unit of order, such as `tutorial/42`. `id` is the command id. */
  stream(data: Fields, id: string): string
  /** The client's own idempotency key, where the body has one; it goes before the header. */
  key?(data: Fields): string | undefined
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
  /** Answer 200 with this JSON once the log has the command: what the client needs to know is known already. */
  answer?(data: Fields): Fields
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

/**
 * What a query answers: a keyset page, one document by its id, the whole collection as a stream, a domain's tally, or a fault
 * on purpose.
 */
export type Query = PageQuery | OneQuery | AllQuery | TotalQuery | FaultQuery

/** The name of the collection that a query reads; it may be left out where the domain has only one. */
interface Reading {
  from?: string
}

export interface PageQuery extends Reading {
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

export interface OneQuery extends Reading {
  answers: 'one'
  /** Has `{id}` in it. */
  path: string
  shape(document: Document): Fields
}

export interface AllQuery extends Reading {
  answers: 'all'
  path: string
  index: string
  shape(document: Document): Fields
}

export interface TotalQuery {
  answers: 'total'
  path: string
  /** The slots that there are, as JSON text: totals may be larger than a number can say. */
  total(slots: Document[]): string
}

/** Always a 500, to test alerts; there only with FAULT_ROUTES=on. */
export interface FaultQuery {
  answers: 'fault'
  path: string
}
