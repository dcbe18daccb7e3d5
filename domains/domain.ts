import type { z } from 'zod'
import type { Query } from './query.ts'

/**
 * The contract between a domain and Millrace. A domain is a folder with a `domain.ts` that default-exports one of these;
 * it imports zod, this file and `query.ts`, and knows nothing of HTTP, Kafka or MongoDB.
 */
export type Domain = AppendDomain | DecideDomain

/** What both kinds have in common. */
interface Named {
  name: string
  topic: Topic
  /** By CloudEvent type. A type belongs to one domain. */
  commands: { [type: string]: CommandType }
  queries: readonly Query[]
  /** Which scopes a role of the issuer's brings with it here. */
  roles?: { [role: string]: string[] }
}

/** Who asks: the issuer's subject, or `anonymous`. */
export interface Caller {
  id: string
  name?: string
  email?: string
  scopes: ReadonlySet<string>
  organisation?: string
}

/** A value that every store keeps and gives back unchanged. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

export type Fields = { [name: string]: Json }

/** What a query reads. `_id` is unique in its collection; `_hash` is reserved for the hash of the command's body, and `_stream` for the stream that the document belongs to. */
export type Document = Fields & { _id: string }

/** A domain whose commands each become one document, `_id` = command id. Nothing to decide, so order does not matter. */
export interface AppendDomain extends Named {
  kind: 'append'
  documents: Documents
}

/**
 * A domain whose commands are decided on by rules: `decide` says what happens, `project` what that changes in the
 * documents. Rules are pure: time, id and actor come with the command. Events are numbered within their stream and kept for
 * ever; events, documents and outcome are written together or not at all.
 */
export interface DecideDomain extends Named {
  kind: 'decide'
  /** `ordered` costs a poll of 200 ms for each command; `unordered` where commands of one stream commute or come one at a time. */
  ordering: 'ordered' | 'unordered'
  /** What rules and queries read. A document belongs to the stream that wrote it first, until that removes it. */
  collections: Collection[]
  /** The documents that the rules get to see for this command: its own stream's, and those of others for reading. */
  touches(command: Command): Touch[]
  decide(command: Command, documents: View): Decision
  /** What the event changes, in documents of its own stream that `touches` named. To change another stream's is a fault. */
  project(event: Event, documents: View): Change[]
  tally?: Tally
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
  /** What `encode` gives, parsed where it is JSON; for the docs. */
  value?: z.ZodType
  encode(data: Fields, command: { id: string; time: string }): string
  /** `command` is what the record's headers say; of a bare record the topic's plain type, and no id. */
  decode(value: string, command: { id: string; type: string }): unknown
  /** The value says the command's id or time too; two values with the same data are then the same body. */
  stamped?: boolean
}

/** Bounds what a client may send and says what it is about. */
export interface CommandType {
  /** A few words for the docs. */
  summary?: string
  /** Over gRPC an issue with `params: { outOfRange: true }` is told as OUT_OF_RANGE. */
  data: z.ZodType<Fields>
  /** What a caller needs to send it; open to all where nothing is said. */
  scope?: string
  /** Whose it is: only who belongs to that organisation may send it, or has the scope over all, such as `logs:all`. */
  organisation?(data: Fields): string
  /**
   * Sent for who brings a token ahead of their first command of this domain that publish sees, with `name` and `email` as far as
   * the token tells; for the same caller it may come again later and must then change nothing.
   */
  welcome?: true
  /** The partition key and the unit of order, such as `tutorial/42`. `id` is the command id, `actor` who sends it. */
  stream(data: Fields, id: string, actor: string): string
  /**
   * The command's id, where an import takes it from the system before. It needs a `scope`, since its sender chooses ids, and must
   * not have the form of a UUID, which is what all other ids have. A repeat has the same id, so no key is needed.
   */
  id?(data: Fields): string
  /** The client's own idempotency key, where the body has one; it goes before the header. */
  key?(data: Fields): string | undefined
  routes: Route[]
  /** The ways in over gRPC. */
  calls?: Call[]
}

/** A unary method that the domain's .proto file declares, which lies in its folder and has its name. */
export interface Call {
  /** As it stands in the path of a request: `SumService/AddNumbers`, with the package before it if there is one. */
  method: string
  /** Turns the message into the command's data, which is then checked against its schema. Each field is there, with its default. */
  read(message: Fields): unknown
  /** The answer once the log has the command: what the client needs to know is known already. */
  answer(data: Fields): Fields
}

/** A way in over HTTP. */
export interface Route {
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `{name}`s of it are members of the data, and go before those of the body. */
  path: string
  /**
   * `text` routes take a body of any media type as text, in its charset, and hand it to `read`; `json` routes take application/json; `batch` routes take
   * NDJSON or a JSON array too, many commands at once, and answer line by line; `none` says all in its path.
   */
  body: 'json' | 'text' | 'batch' | 'none'
  /**
   * Members of the data may also stand in the query string of a `json` route, as strings. The body may then be left out; a member that
   * it gives too must have the same value.
   */
  query?: true
  /** The largest body, where it may be larger than elsewhere. */
  maxBytes?: number
  /** Turns the parsed body into the command's data, which is then checked against its schema. */
  read?(body: unknown): unknown
  /** Answer 200 with this text once the log has the command, instead of 202 with a receipt. */
  text?: string
  /** Answer 200 with this JSON once the log has the command: what the client needs to know is known already. */
  answer?(data: Fields): Fields
  /** What `answer` gives, for the docs. */
  answered?: z.ZodType<Fields>
  /** Where the outcome is read once it is applied; `{id}` is the command id, another `{name}` a member of the data. */
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
  /** Those of the domain's scopes that the actor had when publish accepted it. */
  scopes: string[]
  /** Where it stands in its partition of the log: after every command of its stream that came before. */
  offset: number
  data: Fields
}

export interface Documents {
  collection: Collection
  document(command: Command): Fields
  /**
   * After so many days a document is removed; without it, never. It counts from the command's time, which is `time` in every
   * document then. A command is repeated without effect only as long as its document is there.
   */
  retentionDays?: number
}

export interface Collection {
  name: string
  /** Every query names one of these; `_id` is always the last field, so that an order is total. */
  indexes: { [name: string]: Index }
}

export interface Index {
  fields: string[]
  /** The one of them that holds a list: a document is found by each of its items. */
  each?: string
}
