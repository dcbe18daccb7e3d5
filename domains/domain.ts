import type { z } from 'zod'
import type { Query } from './query.ts'
import type { Declared } from './views.ts'

/** The contract of domains. A domain is a folder whose `domain.ts` default-exports one of these. `examples/` has three to copy. */
export type Domain = AppendDomain | DecideDomain

/** The parts that both kinds of domain have. */
interface DomainParts {
  name: string
  topic: Topic
  /** The commands by their CloudEvent types. A type belongs to one domain. */
  commands: { [type: string]: CommandType }
  queries: readonly Query[]
  /** The scopes of this domain that each role of the issuer grants. */
  roles?: { [role: string]: string[] }
}

/** A domain in which each command becomes one document with the command's id. It has no rules, so order does not matter. */
export interface AppendDomain extends DomainParts {
  kind: 'append'
  documents: Documents
}

/** A domain with rules. `decide` and `project` are pure. One commit has events, documents and outcome; events are kept for ever. */
export interface DecideDomain extends DomainParts {
  kind: 'decide'
  /** `ordered` adds a poll of 200 ms to each command. Use `unordered` if a stream's commands commute or come one at a time. */
  ordering: 'ordered' | 'unordered'
  /** The documents that rules and queries read. A document belongs to the stream that wrote it first, until that stream removes it. */
  collections: Collection[]
  /** The documents that the rules see for this command. They may change those of the command's stream, and read any other. */
  touches(command: Command): Touch[]
  decide(command: Command, documents: DocumentReader): Decision
  /** The changes that an event makes, in documents of its own stream that `touches` named. A change to another stream is a fault. */
  project(event: Event, documents: DocumentReader): Change[]
  /** Documents of many streams. Queries read them, rules do not. */
  views?: View[]
  /** What `decideDomain` was given by type. The start compares it with the commands and events that there are. */
  declared?: Declared
}

/** The documents of one collection that a rule or a query needs. */
export type Touch = { collection: string; ids: string[] }

/** The documents that `touches` named, with the changes of all earlier commands. */
export type DocumentReader = { get(collection: string, id: string): Document | undefined }

/** The result of a rule: events as it makes them, or a short reason, which the caller reads in the receipt. */
export type Decision = { events: NewEvent[] } | { rejected: string }
export type NewEvent = { type: string; data: Fields }

/** An event as the store keeps it, numbered from 1 within its stream. */
export interface Event extends NewEvent {
  stream: string
  number: number
  /** The id of the command that caused it. */
  command: string
  time: string
  actor: string
}

/** A document to write, or the id of one to remove. */
export type Change = { collection: string; document: Document } | { collection: string; remove: string }

/** Documents that the events of any streams of a domain change. Each has a `generation`, by which a commit compares and sets it. */
export interface View {
  collection: Collection
  /** A document before its first event. */
  zero: Fields
  /** True when each document is kept in sixteen slots, which a `total` adds up. `fold` must not depend on order or slot. */
  isSlotted: boolean
  /** The ids of the documents that this event changes. A slotted view with one document gives an empty id. */
  keys(event: Event): string[]
  fold(document: Fields, event: Event, key: string): Fields
}

/** A command as rules see it: validated, with its time, id and actor. */
export interface Command {
  id: string
  type: string
  stream: string
  /** The time at which publish accepted it, in ISO 8601 and UTC. A bare record has the record's time. */
  time: string
  actor: string
  /** The scopes of this domain that the actor had when publish accepted the command. */
  scopes: string[]
  /** Its offset in its partition of the log, higher than that of every earlier command of the stream. */
  offset: number
  data: Fields
}

/** A command as clients send it: its schema, its stream, its access rules and its routes. */
export interface CommandType {
  /** A few words for the API description. */
  summary?: string
  /** The schema of the data. Over gRPC an issue with `params: { outOfRange: true }` becomes OUT_OF_RANGE. */
  data: z.ZodType<Fields>
  /** The scope that a caller needs; without it everybody may send the command. */
  scope?: string
  /** The organisation that the command belongs to. Only its members may send it, and callers with the scope over all (`logs:all`). */
  organisation?(data: Fields): string
  /** Makes publish send this command, with the token's `name` and `email`, ahead of a caller's first one. A repeat must change nothing. */
  welcome?: true
  /** The unit of order and consistency, and the partition key, such as `tutorial/42`. `id` is the command's, `actor` its sender. */
  stream(data: Fields, id: string, actor: string): string
  /** The command's id, for an import that brings its own. It needs a `scope`, and must not have the form of a UUID. */
  id?(data: Fields): string
  /** The idempotency key, if the body has one. It takes precedence over the header. */
  key?(data: Fields): string | undefined
  routes: Route[]
  calls?: GrpcCall[]
}

/** A unary method, declared in the .proto file that has the name of the domain's folder. */
export interface GrpcCall {
  /** The path of a request, `SumService/AddNumbers`, with the package before it if there is one. */
  method: string
  /** Turns a message into the command's data, which is then validated. Absent fields have their defaults. */
  read(message: Fields): unknown
  /** The reply, sent once the log has the command. */
  answer(data: Fields): Fields
}

/** An HTTP route of a command. */
export interface Route {
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Each `{name}` is a member of the data, and takes precedence over the body's. */
  path: string
  /** `json`; `text` of any media type, for `read`; `batch`: NDJSON or a JSON array, many commands at once; `none`: only the path. */
  body: 'json' | 'text' | 'batch' | 'none'
  /** Members of the data may also be in the query string, as strings. The body is then optional, and must not contradict it. */
  query?: true
  /** The largest body, if it may exceed MAX_BODY_BYTES. */
  maxBytes?: number
  /** Turns the parsed body into the command's data, which is then validated. */
  read?(body: unknown): unknown
  /** A text to reply with 200 once the log has the command, instead of 202 with a receipt. */
  text?: string
  /** A JSON object to reply with 200 once the log has the command, instead of 202 with a receipt. */
  answer?(data: Fields): Fields
  /** The schema of `answer`, for the API description. */
  answered?: z.ZodType<Fields>
  /** The address of the result. `{id}` is the command's id, any other `{name}` a member of the data. */
  created?: string
}

/** The Kafka topic that carries a domain's commands. */
export interface Topic {
  name: string
  partitions: number
  /** The form of a record's value; JSON by default. */
  record?: RecordCodec
  /** The command type of a bare record, one that is not a CloudEvent. Without it such a record becomes a letter. */
  plain?: string
}

/** The translation between a command's data and a record's value. If `decode` throws, the record becomes a letter. */
export interface RecordCodec {
  contentType: string
  /** The schema of the value, parsed if it is JSON, for the API description. */
  value?: z.ZodType
  encode(data: Fields, command: { id: string; time: string }): string
  /** `command` is from the record's headers. A bare record has the topic's `plain` type and no id. */
  decode(value: string, command: { id: string; type: string }): unknown
  /** True when the value contains the command's id or time. Values with the same data then count as the same body. */
  stamped?: boolean
}

/** The documents of an append domain. */
export interface Documents {
  collection: Collection
  document(command: Command): Fields
  /** The days after which a document is removed, counted from its field `time`. A command is known for as long as its document. */
  retentionDays?: number
}

/** A collection of documents. Every query names one of its indexes; `_id` is always the last field of an index. */
export type Collection = { name: string; indexes: { [name: string]: Index } }

/** The fields of an index, in order. `each` is the one that holds a list: each item of it finds the document. */
export type Index = { fields: string[]; each?: string }

/** A document that queries read. `_id` is unique in its collection; `_hash` (of the command's body) and `_stream` are reserved. */
export type Document = Fields & { _id: string }

export type Fields = { [name: string]: Json }

/** A value that every store keeps and returns unchanged. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/** The sender of a request: the subject of the token, or `anonymous`. */
export interface Caller {
  id: string
  name?: string
  email?: string
  scopes: ReadonlySet<string>
  organisation?: string
}
