import type { z } from 'zod'
import type { CommandType, Fields, GrpcCall, Json, Route } from './domain.ts'

/** The types that follow from a domain's schemas. `appendDomain` and `decideDomain` infer them. A domain of several files names them. */

export type Schemas = { [name: string]: z.ZodType }
/** What a schema returns. The output of a schema that the compiler does not know may be anything. */
// biome-ignore lint/suspicious/noExplicitAny: it must fit everything
export type Output<Schema> = unknown extends Schema ? any : Schema extends z.ZodType ? z.output<Schema> : never

/** A command type whose functions get the data that its schema returns. */
export interface CommandDefinition<Schema extends z.ZodType, Data = z.output<Schema>>
  extends Omit<CommandType, 'data' | 'organisation' | 'stream' | 'id' | 'key' | 'routes' | 'calls'> {
  data: Schema
  organisation?(data: Data): string
  stream(data: Data, id: string, actor: string): string
  id?(data: Data): string
  key?(data: Data): string | undefined
  routes: readonly RouteDefinition<Data>[]
  calls?: readonly CallDefinition<Data>[]
}

interface RouteDefinition<Data> extends Omit<Route, 'answer'> {
  answer?(data: Data): Fields
}

interface CallDefinition<Data> extends Omit<GrpcCall, 'answer'> {
  answer(data: Data): Fields
}

export type Commands<C extends Schemas> = { readonly [Type in keyof C]: CommandDefinition<C[Type]> }

/** A command as rules see it: of one type, or of any type of a domain. */
export type CommandOf<Commands, Type extends keyof Commands = keyof Commands> = {
  [T in Type & string]: {
    id: string
    type: T
    stream: string
    /** The time at which publish accepted it, in ISO 8601 and UTC. A bare record has the record's time. */
    time: string
    actor: string
    /** The scopes of this domain that the actor had when publish accepted the command. */
    scopes: string[]
    /** Its offset in its partition of the log, higher than that of every earlier command of the stream. */
    offset: number
    data: DataOf<Commands[T]>
  }
}[Type & string]

/** The data of a command, or anything as long as the compiler does not know the command. */
// biome-ignore lint/suspicious/noExplicitAny: it must fit everything
type DataOf<Command> = unknown extends Command ? any : Command extends { data: infer Schema } ? Output<Schema> : never

/** An event as a rule returns it. */
export type NewEventOf<Events, Type extends keyof Events = keyof Events> = {
  [T in Type & string]: { type: T; data: Output<Events[T]> }
}[Type & string]

/**
 * An event for the compiler to check. Nothing is of the second type. Without it, the compiler compares the data with that of all events,
 * and names what another event needs.
 */
export type CheckedEvent<Events> = NewEventOf<Events> | { type: never }

/** An event as the store keeps it, numbered from 1 within its stream. */
export type EventOf<Events, Type extends keyof Events = keyof Events> = {
  [T in Type & string]: {
    type: T
    data: Output<Events[T]>
    stream: string
    number: number
    /** The id of the command that caused it. */
    command: string
    time: string
    actor: string
  }
}[Type & string]

/** The schema of a collection's documents, and the indexes by which queries find them. */
export interface CollectionDefinition {
  schema: z.ZodObject
  indexes: { readonly [name: string]: IndexDefinition }
}

export interface IndexDefinition {
  fields: readonly string[]
  /** The one of the fields that holds a list: each item of it finds the document. */
  each?: string
}

export type Collections = { readonly [name: string]: CollectionDefinition }

/** Refuses an index on a field that the documents do not have. */
export type Indexed<K> = { readonly [Name in keyof K]: IndexedBy<K[Name]> }
export type IndexedBy<Collection> = {
  indexes: Collection extends { indexes: infer Indexes }
    ? { readonly [Index in keyof Indexes]: { fields: readonly FieldOf<Collection>[]; each?: FieldOf<Collection> } }
    : never
}

type FieldOf<Collection> = Collection extends { schema: infer Schema } ? keyof Output<Schema> & string : never

/** A document with its id. */
export type DocumentOf<K, Name extends keyof K> = K[Name] extends { schema: infer Schema }
  ? { _id: string } & Output<Schema>
  : never

/** The documents that `touches` named, with the changes of all earlier commands. */
export interface DocumentsOf<K> {
  get<Name extends keyof K & string>(collection: Name, id: string): DocumentOf<K, Name> | undefined
}

/** A document to write, or the id of one to remove. */
export type ChangeOf<K> = {
  [Name in keyof K & string]: { collection: Name; document: DocumentOf<K, Name> } | { collection: Name; remove: string }
}[keyof K & string]

/** The documents of one collection that a rule or a query needs. */
export type TouchOf<K> = { collection: keyof K & string; ids: string[] }

/** The result of a rule. A rejection is a short reason, which the caller reads in the receipt. */
export type DecisionOf<Events> = { events: CheckedEvent<Events>[] } | { rejected: string }

/** The events of a command, unless a rejection applies. The first one that does gives the reason. */
export interface RuleOf<Commands, Events, Type extends keyof Commands, Context> {
  unless?: readonly Rejection<CommandOf<Commands, Type>, Context>[]
  events(command: CommandOf<Commands, Type>, context: Context): CheckedEvent<Events>[]
}

/** The rule of each command type. A file that has some of a domain's rules `satisfies Partial<RulesOf<...>>`. */
export type RulesOf<Commands, Events, Context> = {
  readonly [Type in keyof Commands]: RuleOf<Commands, Events, Type, Context>
}

/** The reason why a command is rejected, or false or undefined if it is not. */
export type Rejection<Command, Context> = (command: Command, context: Context) => string | false | undefined

/** The changes that the events of one type make, in documents of their own stream that `touches` named. */
export type ProjectionOf<Events, K, Type extends keyof Events> = (
  event: EventOf<Events, Type>,
  documents: DocumentsOf<K>,
) => ChangeOf<K>[]

/** The projection of each event type. */
export type ProjectionsOf<Events, K> = { readonly [Type in keyof Events]: ProjectionOf<Events, K, Type> }

/** Refuses a schema whose output JSON can not express, with a sentence. */
export type JsonOnly<S extends Schemas> = {
  readonly [Name in keyof S]: IsJson<Output<S[Name]>> extends true ? unknown : NotJson
}
export type JsonData<M> = {
  readonly [Type in keyof M]: M[Type] extends { data: infer S }
    ? IsJson<Output<S>> extends true
      ? unknown
      : { data: NotJson }
    : unknown
}
/** Refuses a member that commands do not have. A `scope` of another name would guard nothing. */
export type KnownMembers<M> = {
  readonly [Type in keyof M]: {
    readonly [Name in Exclude<keyof M[Type], keyof CommandDefinition<z.ZodType>>]: NoMember
  }
}
type NoMember = 'A command has no such member.'

type NotJson = 'The data must be JSON: use z.iso.datetime() for a time, and a string for a large number.'

type IsJson<T> = [T] extends [Json | undefined]
  ? true
  : [T] extends [readonly (infer Item)[]]
    ? IsJson<Item>
    : [T] extends [
          | Date
          | bigint
          | symbol
          | ((...args: never[]) => unknown)
          | ReadonlyMap<unknown, unknown>
          | ReadonlySet<unknown>,
        ]
      ? false
      : [T] extends [object]
        ? false extends { [Name in keyof T]-?: IsJson<T[Name]> }[keyof T]
          ? false
          : true
        : false
