import type { z } from 'zod'
import type { Answer, Item, LiveItem, NumberedPage, NumberedParams, Page, Params } from '#client/types.ts'
import type { Domain, Fields, Json } from '#domains/domain.ts'
import type { CheckedEvent, DocumentOf, NewEventOf, Output } from '#domains/model.ts'

/** The schemas of a domain. Those of a domain with a mistake, or that neither `appendDomain` nor `decideDomain` has made, are unknown. */
export type SchemasOf<D extends Domain> = D extends { contract: infer C extends DomainSchemas }
  ? unknown extends C
    ? UnknownSchemas
    : C
  : UnknownSchemas

export interface DomainSchemas {
  kind?: 'append' | 'decide'
  commands: object
  events: object
  collections: object
  queries: readonly unknown[]
}

interface UnknownSchemas {
  commands: { [type: string]: { data: z.ZodType<Fields, Fields> } }
  events: { [type: string]: z.ZodType<Fields> }
  collections: { [name: string]: { schema: z.ZodType<Fields> } }
  queries: readonly { name: string; answers: 'composed'; params: z.ZodType<Fields, Fields>; item: z.ZodType<Json> }[]
}

/** The sender of a command. */
interface Sender {
  /** `anonymous` by default. */
  actor?: string
  /** By default the one that the command needs. */
  scopes?: readonly string[]
  organisation?: string
}

/** A command as a client sends it. */
export type SentCommand<C extends DomainSchemas> = {
  [Type in keyof C['commands'] & string]: Sender & {
    type: Type
    data: C['commands'][Type] extends { data: infer S extends z.ZodType } ? z.input<S> : never
    /** Only events have one here: that of a command follows from its data. */
    stream?: never
    /** By default `command-1` for the first command or event of a test, and so on. */
    id?: string
    /** By default one second after that of the previous command or event, from the year 2030 on. */
    time?: string
  }
}[keyof C['commands'] & string]

/** An event that happened, whatever command caused it. */
export type PastEvent<C extends DomainSchemas> = {
  [Type in keyof C['events'] & string]: {
    type: Type
    stream: string
    data: Output<C['events'][Type]>
    /** The id of the command that caused it. */
    command?: string
    actor?: string
    time?: string
  }
}[keyof C['events'] & string]

/** What happened before. An event has a `stream`, and a command has none. */
export type Fact<C extends DomainSchemas> = SentCommand<C> | PastEvent<C>

/** The documents of a domain by collection and id. */
export type DocumentsIn<C extends DomainSchemas> = {
  [Name in keyof C['collections'] & string]: { [id: string]: DocumentOf<C['collections'], Name> }
}

/** The outcome of a command: its events, the reason of a rejection, or the reason for which publish refuses it as invalid. */
export interface Outcome<C extends DomainSchemas> {
  events?: NewEventOf<C['events']>[]
  rejected?: string
  invalid?: string
  /** All documents after the command. */
  documents: DocumentsIn<C>
  document<Name extends keyof C['collections'] & string>(
    collection: Name,
    id: string,
  ): DocumentOf<C['collections'], Name> | undefined
}

/** The expected documents, with the members that matter. `null` is a document that must not be there. */
interface ExpectedDocuments<C extends DomainSchemas> {
  documents?: {
    [Name in keyof C['collections'] & string]?: {
      [id: string]: Some<DocumentOf<C['collections'], Name>> | null
    }
  }
}

/** The expected outcome, with a whole reason or a pattern of it. A command of which neither `rejected` nor `invalid` is expected must be applied. */
export type Expected<C extends DomainSchemas> = ExpectedDocuments<C> &
  (
    | { events?: CheckedEvent<C['events']>[]; rejected?: never; invalid?: never }
    | { rejected: string | RegExp; events?: never; invalid?: never }
    | { invalid: string | RegExp; events?: never; rejected?: never }
  )

/** Some members of a value, at any depth. A list has all of its items. */
type Some<T> = T extends readonly (infer I)[] ? Some<I>[] : T extends object ? { [Name in keyof T]?: Some<T[Name]> } : T

type Queries<C extends DomainSchemas> = C['queries'][number]
export type QueryName<C extends DomainSchemas> =
  Queries<C> extends infer Q ? (Q extends { name: infer Name extends string } ? Name : never) : never
type Named<C extends DomainSchemas, Name> =
  Queries<C> extends infer Q
    ? Q extends { name: infer Own extends string }
      ? Name extends Own
        ? Q
        : never
      : never
    : never

/** The parameters of a query. */
export type ParamsTo<C extends DomainSchemas, Name> =
  Named<C, Name> extends infer Q ? (Q extends { numbered: object } ? Params<Q> | NumberedParams<Q> : Params<Q>) : never

/** The answer of a query. That of a live query is the list of its items, or of the changes of a live list. */
export type AnswerTo<C extends DomainSchemas, Name> = AnswerOf<Named<C, Name>, C['kind']>
type AnswerOf<Q, Kind> = Q extends { answers: 'page' | 'history' }
  ? Q extends { numbered: object }
    ? Page<Item<Q>> | NumberedPage<Item<Q>>
    : Page<Item<Q>>
  : Q extends { answers: 'live' }
    ? LiveItem<Q, Kind>[]
    : Q extends { answers: 'total' }
      ? Json | bigint
      : Answer<Q>

/** The expected answer, with the members that matter, or the status of the problem that refuses the query. */
export type ExpectedAnswer<Answer> = Some<Answer> | { problem: number }

/** The caller of a query. */
export interface CallerOptions {
  caller?: {
    /** `anonymous` by default. */
    id?: string
    name?: string
    email?: string
    /** By default the one that the query needs. */
    scopes?: Iterable<string>
    organisation?: string
  }
}
