import type { z } from 'zod'
import type { Fields } from '#domains/domain.ts'

/** All commands and named queries of the domains: `client.forum.threads.open({ ... })`. */
export type Client<Domains extends { [name: string]: ClientDomain }> = {
  [Name in keyof Domains & string]: unknown extends Domains[Name]['contract']
    ? Unknown
    : Nested<CommandsOf<Name, Domains[Name]['contract']['commands']> & QueriesOf<Domains[Name]['contract']>>
}

/** The calls of a domain that has a mistake. Its own error names the mistake. */
// biome-ignore lint/suspicious/noExplicitAny: it must fit everything
type Unknown = any

/** What the client needs to know of a domain. `appendDomain` and `decideDomain` return it. */
export type ClientDomain = { contract: { commands: { [type: string]: Sendable } } & WithQueries }
type WithQueries = { kind?: 'append' | 'decide'; queries: readonly unknown[] }
type Sendable = { data: z.ZodType; routes: readonly object[] }

export interface SendOptions {
  /** The idempotency key. The default is a new key for each call. A repeat with the same key has no further effect. */
  key?: string
  /** The number of seconds to wait for the outcome: 20 by default and at most. */
  wait?: number
  /** The version that the stream must have (If-Match). */
  version?: number
  signal?: AbortSignal
}

export interface AskOptions {
  signal?: AbortSignal
}

export interface LiveOptions extends AskOptions {
  /**
   * Called when nothing is missed from here on: a read from now and the items leave no gap. Called again if the site no longer knows
   * the items of an interruption, so the caller must read again.
   */
  begun?(): void
}

/** A change of a live list. The item is the one after the change, or the last one before a removal. */
export interface ListChange<Item> {
  kind: 'inserted' | 'changed' | 'removed'
  item: Item
}

/** The outcome of a command. `pending`: the command is durable but not applied yet. The next read waits for it. */
export interface Outcome {
  id: string
  status: 'applied' | 'pending'
  receipt: string
}

/** The result of one line of a batch. */
export interface Line {
  line: number
  /** The status that the line would have had as a request of its own. */
  status: number
  id?: string
  receipt?: string
  detail?: string
}

export interface Page<Item> {
  items: Item[]
  /** The cursor of the next page; null on the last page. */
  next: string | null
}

/** A page by its number, with totals. */
export interface NumberedPage<Item> {
  items: Item[]
  page: number
  size: number
  total: number
  /** False if there may be more items than `total`. */
  isTotalExact: boolean
  totalPages: number
}

type CommandsOf<Name extends string, Commands extends { [type: string]: Sendable }> = {
  [Type in keyof Commands & string as Type extends `${Name}.${infer Rest}` ? Rest : never]: Send<Commands[Type]>
}

type QueriesOf<Contract extends WithQueries> = {
  [Q in Contract['queries'][number] as Q extends { name: infer Name extends string } ? Name : never]: Ask<
    Q,
    Contract['kind']
  >
}

/** Turns `{ 'threads.open': F }` into `{ threads: { open: F } }`. A name may be a call and the prefix of others. */
type Nested<Calls> = {
  [Name in First<keyof Calls>]: (Name extends keyof Calls ? Calls[Name] : unknown) & Nested<Below<Calls, Name>>
}

type First<Name> = Name extends `${infer Head}.${string}` ? Head : Name extends string ? Name : never

type Below<Calls, Head extends string> = {
  [Name in keyof Calls as Name extends `${Head}.${infer Rest}` ? Rest : never]: Calls[Name]
}

type Send<Command extends Sendable> = ((
  ...args: Args<InputOf<Command['data']>, SendOptions>
) => Promise<CommandResult<Command['routes'][number]>>) &
  (Command['routes'][number] extends infer Route
    ? Extract<Route, { body: 'batch' }> extends never
      ? unknown
      : (data: readonly InputOf<Command['data']>[], options?: SendOptions) => Promise<Line[]>
    : never)

/** The route's own answer, or the outcome. */
type CommandResult<Route> = [Answered<Route>] extends [never] ? Outcome : Answered<Route>
type Answered<Route> = Route extends { answer: (...args: never[]) => infer Answer } ? Answer : never

type Ask<Q, Kind> = Q extends { answers: 'page' | 'history' }
  ? Once<Q, Page<Item<Q>>> & {
      /** Iterates over the items and reads pages as needed. */
      each: Many<Q>
      /** Reads all items in one stream, and resumes after a broken connection. */
      lines: Many<Q>
    } & (Q extends { numbered: object }
        ? {
            /** Reads one page by its number, by default the first, with totals. */
            numbered: (...args: Args<NumberedParams<Q>, AskOptions>) => Promise<NumberedPage<Item<Q>>>
          }
        : unknown)
  : Q extends { answers: 'live' }
    ? {
        /** Iterates over the items as they come, until the signal or a `break` ends it. Those of a live list have the kind of change. */
        each: Many<Q, LiveOptions, LiveItem<Q, Kind>>
      }
    : Once<Q, Answer<Q>>

export type Answer<Q> = Q extends { answers: 'all' }
  ? Item<Q>[]
  : Q extends { answers: 'count' }
    ? { items: Item<Q>[] }
    : Q extends { answers: 'total' }
      ? Q extends { item: z.ZodType }
        ? Item<Q>
        : bigint
      : Item<Q>

type Once<Q, Answer> = (...args: Args<Params<Q>, AskOptions>) => Promise<Answer>
type Many<Q, Options = AskOptions, Each = Item<Q>> = (
  ...args: Args<Params<Q>, Options>
) => AsyncGenerator<Each, void, undefined>

/** Events and the documents of an append domain are items. A collection of a decide domain is a list, which changes. */
export type LiveItem<Q, Kind> = Kind extends 'decide'
  ? Q extends { of: { collection: string } }
    ? ListChange<Item<Q>>
    : Item<Q>
  : Item<Q>

export type Item<Q> = Q extends { item: infer Schema extends z.ZodType } ? z.output<Schema> : Fields

export type Params<Q> = Simple<
  Omit<InPath<Q>, keyof InQuery<Q>> &
    InQuery<Q> &
    (Q extends { answers: 'page' | 'history' } ? { limit?: number; cursor?: string } : unknown) &
    Sorting<Q>
>
export type NumberedParams<Q> = Simple<Omit<Params<Q>, 'limit' | 'cursor'> & { page?: number; size?: number }>
type Sorting<Q> = Q extends { numbered: { sorts: infer Sorts } } ? { sort?: Sort<keyof Sorts & string> } : unknown
type Sort<Name extends string> = Name | `${Name},${'asc' | 'desc'}`
type InPath<Q> = Q extends { path: infer Path extends string } ? { [Name in NamesIn<Path>]: string } : unknown
type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never
/** The parameters of the query string. z.object({}) has none. */
type InQuery<Q> = Q extends { params: infer Schema extends z.ZodType }
  ? string extends keyof InputOf<Schema>
    ? unknown
    : InputOf<Schema>
  : unknown

/** The input of a schema. A schema that coerces has an unknown input; its output stands in for it. */
type InputOf<Schema extends z.ZodType> = Coerced<z.input<Schema>, z.output<Schema>>
type Coerced<Input, Output> = Input extends readonly unknown[] | string | number | boolean | null | undefined
  ? Input
  : {
      [Name in keyof Input]: unknown extends Input[Name]
        ? Name extends keyof Output
          ? Output[Name]
          : never
        : Input[Name]
    }

type Args<Data, Options> =
  Record<never, never> extends Data ? [data?: Data, options?: Options] : [data: Data, options?: Options]

type Simple<Type> = { [Name in keyof Type]: Type[Name] }
