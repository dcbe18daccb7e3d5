import type { z } from 'zod'
import type { Caller, Fields } from './domain.ts'
import type { Collections, DocumentOf, DocumentsOf, EventOf, Output, TouchOf } from './model.ts'
import type { Range } from './query.ts'
import type { SlotOf } from './views.ts'

/** The members of each kind of query, with their types. `query.ts` says what they mean. */

/** What a query's functions know of the request. */
export interface Asked<Params, K> {
  params: Params
  caller: Caller
  /** The documents that `join` named. */
  documents: DocumentsOf<K>
}

/** The parameters of a path and of a query string, as the functions of a query get them. */
export type ParamsOf<Path extends string, P> = Flat<
  Declared<P> & { [Name in Exclude<NamesIn<Path>, keyof Declared<P>>]: string }
>
/** A schema without members has the output `Record<string, never>`, in which every name is declared. */
type Declared<P> = string extends keyof Output<P> ? unknown : Output<P>
type NamesIn<Path> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never
type Flat<T> = { [Name in keyof T]: T[Name] }

export type NameIn<K> = keyof K & string
/** The names of the indexes of any of these collections. */
export type IndexIn<K extends Collections, Name extends keyof K> = Name extends unknown
  ? keyof K[Name]['indexes'] & string
  : never
export type NoParams = z.ZodObject<Record<never, never>>

/** The members that all kinds of query have. `domains/query.ts` says what they mean. */
export interface Definition<K, Path extends string, P, I> {
  path: Path
  scope?: string
  name?: string
  summary?: string
  overview?: { part: string; params?(caller: Caller): { [name: string]: string } | undefined }
  params?: P
  item?: I
  organisation?(params: ParamsOf<Path, P>): string
  parent?: {
    touches(params: ParamsOf<Path, P>, caller: Caller): TouchOf<K>[]
    exists(documents: DocumentsOf<K>, params: ParamsOf<Path, P>, caller: Caller): boolean
  }
}

/** A choice of documents by an index. */
export interface Lookup<K extends Collections, Name extends NameIn<K>, X extends string, Params> {
  index: X | ((params: Params, caller: Caller) => X)
  where?(params: Params, caller: Caller): Where<K, Name, X> | Where<K, Name, X>[]
  range?(params: Params, caller: Caller): Range
}

/** Values for the first fields of an index. */
type Where<K extends Collections, Name extends keyof K, X> = Name extends unknown
  ? X extends keyof K[Name]['indexes']
    ? Prefix<K[Name]['indexes'][X]['fields'], Values<DocumentOf<K, Name>, K[Name]['indexes'][X]>>
    : never
  : never
type Prefix<Names extends readonly string[], Value> = Names extends readonly [
  infer First extends string,
  ...infer Rest extends readonly string[],
]
  ? { [Name in Names[number]]?: never } | (Record<First, Value[First & keyof Value]> & Prefix<Rest, Value>)
  : unknown
type Values<Document, Index> = {
  [Field in keyof Document]: Index extends { each: Field }
    ? ItemOf<Document[Field]>
    : Exclude<Document[Field], undefined>
}
type ItemOf<List> = List extends readonly (infer Item)[] ? Item : never

export interface Shape<Document, K, Params, I> {
  /** The item of a document, or `undefined` if the caller does not get it. */
  shape(document: Document, asked: Asked<Params, K>): Output<I> | undefined
}

export interface PageDefinition<
  K extends Collections,
  Name extends NameIn<K>,
  X extends string,
  Path extends string,
  P,
  I,
> extends Definition<K, Path, P, I>,
    Lookup<K, Name, X, ParamsOf<Path, P>>,
    Shape<DocumentOf<K, Name>, K, ParamsOf<Path, P>, I> {
  from?: Name | ((params: ParamsOf<Path, P>, caller: Caller) => Name)
  newestFirst?: boolean | ((params: ParamsOf<Path, P>, caller: Caller) => boolean)
  numbered?: {
    sorts: { [name: string]: Partial<ParamsOf<Path, P>> }
    isByIndex?(params: ParamsOf<Path, P>, caller: Caller): boolean
  }
  keep?(document: DocumentOf<K, Name>, params: ParamsOf<Path, P>, caller: Caller): boolean
  join?(
    document: DocumentOf<K, Name>,
    documents: DocumentsOf<K>,
    params: ParamsOf<Path, P>,
    caller: Caller,
  ): TouchOf<K>[]
}

export interface ComposedDefinition<K, Path extends string, P, I> extends Definition<K, Path, P, I> {
  touches(params: ParamsOf<Path, P>, caller: Caller, documents: DocumentsOf<K>): TouchOf<K>[]
  answer(documents: DocumentsOf<K>, params: ParamsOf<Path, P>, caller: Caller): Output<I> | undefined
}

/** The sources of a live query. A domain without events is an append domain. */
export type Source<K, E> = { collection: NameIn<K> } | ([E] extends [never] ? never : 'events')
type Followed<K, E, Of> = Of extends { collection: infer Name extends keyof K } ? DocumentOf<K, Name> : EventOf<E>
/** The document before a change, in a collection of a decide domain. */
type Before<K, E, Of> = [E] extends [never] ? unknown : Of extends 'events' ? unknown : { before?: Followed<K, E, Of> }

export interface LiveDefinition<K, E, Of, Path extends string, P, I> extends Definition<K, Path, P, I> {
  of: Of
  keep(document: Followed<K, E, Of>, params: ParamsOf<Path, P>, caller: Caller): boolean
  shape(document: Followed<K, E, Of>, asked: Asked<ParamsOf<Path, P>, K> & Before<K, E, Of>): Output<I> | undefined
}

export interface CountDefinition<
  K extends Collections,
  Name extends NameIn<K>,
  X extends string,
  Path extends string,
  P,
  I,
> extends Definition<K, Path, P, I>,
    Lookup<K, Name, X, ParamsOf<Path, P>> {
  from?: Name
  by(params: ParamsOf<Path, P>, caller: Caller): { field: keyof DocumentOf<K, Name> & string; length?: number }[]
  shape(group: Fields, count: number, asked: Asked<ParamsOf<Path, P>, K>): Output<I>
}

export interface TotalDefinition<K, W, Name, Path extends string, P, I> extends Definition<K, Path, P, I> {
  from?: Name
  /** The key of the document, if the view has several. */
  key?(params: ParamsOf<Path, P>, caller: Caller): string
  /** The sum of the slots as JSON text, since it may exceed what a number holds. */
  total(slots: SlotOf<W, Name>[]): string
}
