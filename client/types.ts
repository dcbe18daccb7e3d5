import type { z } from 'zod'
import type { CommandType, Domain, Fields } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'

/** Every command and every query that has a name, by its domain: `client.forum.threads.open({ ... })`. */
export type Client<Domains extends { [name: string]: Domain }> = {
  [Name in keyof Domains & string]: Nested<
    CommandsOf<Name, Domains[Name]['commands']> & QueriesOf<Domains[Name]['queries']>
  >
}

export interface SendOptions {
  /** The idempotency key; a new one for each call unless said. A call that is repeated with its key takes effect once. */
  key?: string
  /** How many seconds the outcome is waited for, 20 at most and unless said. */
  wait?: number
  /** The version that the stream must have. */
  version?: number
  signal?: AbortSignal
}

export interface AskOptions {
  signal?: AbortSignal
}

export interface LiveOptions extends AskOptions {
  /**
   * Told when nothing is missed from here on: what is read now and what comes have no gap. Told again where what came while the
   * stream was cut off is not known any more, and has to be read anew.
   */
  begun?(): void
}

/** `pending`: it is safe, but its outcome was not there in time. What is read next waits for it. */
export interface Outcome {
  id: string
  status: 'applied' | 'pending'
  receipt: string
}

/** What became of one line of a batch. */
export interface Line {
  line: number
  /** What it would have been answered alone. */
  status: number
  id?: string
  receipt?: string
  detail?: string
}

export interface Page<Item> {
  items: Item[]
  /** The cursor of the next page; null: this is the last one. */
  next: string | null
}

/** A page by its number, with totals. */
export interface NumberedPage<Item> {
  items: Item[]
  page: number
  size: number
  total: number
  /** False: there may be more than `total`. */
  isTotalExact: boolean
  totalPages: number
}

type CommandsOf<Name extends string, Commands extends { [type: string]: CommandType }> = {
  [Type in keyof Commands & string as Type extends `${Name}.${infer Rest}` ? Rest : never]: Send<Commands[Type]>
}

type QueriesOf<Queries extends readonly Query[]> = {
  [Asked in Queries[number] as Asked extends { name: infer Name extends string } ? Name : never]: Ask<Asked>
}

/** `{ 'threads.open': F }` as `{ threads: { open: F } }`; a name may be that of a call and the beginning of others. */
type Nested<Calls> = {
  [Name in First<keyof Calls>]: (Name extends keyof Calls ? Calls[Name] : unknown) & Nested<Below<Calls, Name>>
}

type First<Name> = Name extends `${infer Head}.${string}` ? Head : Name extends string ? Name : never

type Below<Calls, Head extends string> = {
  [Name in keyof Calls as Name extends `${Head}.${infer Rest}` ? Rest : never]: Calls[Name]
}

type Send<Command extends CommandType> = ((
  ...args: Args<Given<Command['data']>, SendOptions>
) => Promise<Told<Command['routes'][number]>>) &
  (Command['routes'][number] extends infer Route
    ? Extract<Route, { body: 'batch' }> extends never
      ? unknown
      : (data: readonly Given<Command['data']>[], options?: SendOptions) => Promise<Line[]>
    : never)

/** What the route answers by itself, or else the outcome. */
type Told<Route> = [Answered<Route>] extends [never] ? Outcome : Answered<Route>
type Answered<Route> = Route extends { answer: (...args: never[]) => infer Answer } ? Answer : never

type Ask<Asked extends Query> = Asked extends { answers: 'page' | 'history' }
  ? Once<Asked, Page<Item<Asked>>> & {
      /** Page by page, as they are needed. */
      each: Many<Asked>
      /** In one stream, for much at once. Cut off, it goes on behind the last whole item. */
      lines: Many<Asked>
    } & (Asked extends { numbered: object }
        ? {
            /** One page by its number, the first unless said, with totals. */
            numbered: (...args: Args<NumberedParams<Asked>, AskOptions>) => Promise<NumberedPage<Item<Asked>>>
          }
        : unknown)
  : Asked extends { answers: 'live' }
    ? {
        /** As they come, until the signal or a `break` ends it. */
        each: Many<Asked, LiveOptions>
      }
    : Once<Asked, Answer<Asked>>

type Answer<Asked> = Asked extends { answers: 'all' }
  ? Item<Asked>[]
  : Asked extends { answers: 'count' }
    ? { items: Item<Asked>[] }
    : Asked extends { answers: 'total' }
      ? bigint
      : Item<Asked>

type Once<Asked, Answer> = (...args: Args<Params<Asked>, AskOptions>) => Promise<Answer>
type Many<Asked, Options = AskOptions> = (
  ...args: Args<Params<Asked>, Options>
) => AsyncGenerator<Item<Asked>, void, undefined>

type Item<Asked> = Asked extends { item: infer Schema extends z.ZodType } ? z.output<Schema> : Fields

type Params<Asked> = Simple<
  Omit<InPath<Asked>, keyof Behind<Asked>> &
    Behind<Asked> &
    (Asked extends { answers: 'page' | 'history' } ? { limit?: number; cursor?: string } : unknown) &
    Sorting<Asked>
>
type NumberedParams<Asked> = Simple<Omit<Params<Asked>, 'limit' | 'cursor'> & { page?: number; size?: number }>
type Sorting<Asked> = Asked extends { numbered: { sorts: infer Sorts } }
  ? { sort?: Sort<keyof Sorts & string> }
  : unknown
type Sort<Name extends string> = Name | `${Name},${'asc' | 'desc'}`
type InPath<Asked> = Asked extends { path: infer Path extends string } ? { [Name in NamesIn<Path>]: string } : unknown
type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never
/** What stands behind the question mark; z.object({}) is a record of nothing. */
type Behind<Asked> = Asked extends { params: infer Schema extends z.ZodType }
  ? string extends keyof Given<Schema>
    ? unknown
    : Given<Schema>
  : unknown

/** What a caller gives. A schema that coerces takes anything: then it is what it becomes. */
type Given<Schema extends z.ZodType> = Coerced<z.input<Schema>, z.output<Schema>>
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
