import type { z } from 'zod'
import type { Caller, Fields, Json } from './domain.ts'
import type { Collections, DocumentOf, EventOf, Schemas } from './model.ts'
import type { FaultQuery, Query } from './query.ts'
import type {
  ComposedDefinition,
  CountDefinition,
  Definition,
  IndexIn,
  LiveDefinition,
  Lookup,
  NameIn,
  NoParams,
  PageDefinition,
  ParamsOf,
  Shape,
  Source,
  TotalDefinition,
} from './query-definitions.ts'
import type { NoViews, SlottedIn, ViewCollections } from './views.ts'

/** The query, which is unknown if it has a mistake. */
type As<Q, Answers> = unknown extends Q ? unknown : Q & { readonly answers: Answers }

/** The kinds of query of a domain with these collections, events and views. `domains/query.ts` says what each answers. */
export type QueryKinds<K extends Collections, E extends Schemas = never, W = NoViews> = Kinds<
  K & ViewCollections<W>,
  E,
  W,
  Only<keyof K & string>
>

/** The name, if it is one. A query of a domain with several collections says from which it reads. */
type Only<Name extends string, One extends string = Name> = Name extends unknown
  ? [One] extends [Name]
    ? Name
    : never
  : never

interface Kinds<K extends Collections, E extends Schemas, W, Default extends NameIn<K>> {
  page<
    const Path extends string,
    const Q,
    Name extends NameIn<K> = Default,
    X extends IndexIn<K, Name> = IndexIn<K, Name>,
    I extends z.ZodType = z.ZodType<Fields>,
    P extends z.ZodObject = NoParams,
  >(query: Q & PageDefinition<K, Name, X, Path, P, I>): As<Q, 'page'>
  one<
    const Path extends string,
    const Q,
    Name extends NameIn<K> = Default,
    I extends z.ZodType = z.ZodType<Fields>,
    P extends z.ZodObject = NoParams,
  >(
    query: Q & { from?: Name } & Definition<K, Path, P, I> & Shape<DocumentOf<K, Name>, K, ParamsOf<Path, P>, I>,
  ): As<Q, 'one'>
  composed<const Path extends string, const Q, I extends z.ZodType = z.ZodType<Json>, P extends z.ZodObject = NoParams>(
    query: Q & ComposedDefinition<K, Path, P, I>,
  ): As<Q, 'composed'>
  all<
    const Path extends string,
    const Q,
    Name extends NameIn<K> = Default,
    X extends IndexIn<K, Name> = IndexIn<K, Name>,
    I extends z.ZodType = z.ZodType<Fields>,
    P extends z.ZodObject = NoParams,
  >(
    query: Q & { from?: Name } & Definition<K, Path, P, I> &
      Lookup<K, Name, X, ParamsOf<Path, P>> &
      Shape<DocumentOf<K, Name>, K, ParamsOf<Path, P>, I>,
  ): As<Q, 'all'>
  history<
    const Path extends string,
    const Q,
    I extends z.ZodType = z.ZodType<Fields>,
    P extends z.ZodObject = NoParams,
  >(
    query: Q & { stream(params: ParamsOf<Path, P>, caller: Caller): string } & Definition<K, Path, P, I> &
      Shape<EventOf<E>, K, ParamsOf<Path, P>, I>,
  ): As<Q, 'history'>
  live<
    const Path extends string,
    const Q,
    const Of extends Source<K, E>,
    I extends z.ZodType = z.ZodType<Fields>,
    P extends z.ZodObject = NoParams,
  >(query: Q & LiveDefinition<K, E, Of, Path, P, I>): As<Q, 'live'>
  count<
    const Path extends string,
    const Q,
    Name extends NameIn<K> = Default,
    X extends IndexIn<K, Name> = IndexIn<K, Name>,
    I extends z.ZodType = z.ZodType<Fields>,
    P extends z.ZodObject = NoParams,
  >(query: Q & CountDefinition<K, Name, X, Path, P, I>): As<Q, 'count'>
  total<
    const Path extends string,
    const Q,
    Name extends SlottedIn<W>,
    I extends z.ZodType = z.ZodType<Json>,
    P extends z.ZodObject = NoParams,
  >(query: Q & TotalDefinition<K, W, Name, Path, P, I>): As<Q, 'total'>
  fault<const Q extends Omit<FaultQuery, 'answers'>>(query: Q): As<Q, 'fault'>
}

const KINDS = [
  'page',
  'one',
  'composed',
  'all',
  'history',
  'live',
  'count',
  'total',
  'fault',
] as const satisfies Query['answers'][]

/** Makes queries. Each kind adds its name to what it is given: the compiler has checked the rest. */
export const queryKinds = Object.fromEntries(
  KINDS.map((answers) => [answers, (query: object) => ({ ...query, answers })]),
) as unknown as QueryKinds<Collections, Schemas>
