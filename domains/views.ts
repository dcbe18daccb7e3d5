import type { z } from 'zod'
import type { Event, Fields, View } from './domain.ts'
import type { EventOf, IndexDefinition, IndexedBy, Output, Schemas } from './model.ts'

/** The types of `views` in `decideDomain`. `View` in `domain.ts` says what a view is. */

/** How the events of one type change a view. */
interface FeedOf<Events, Type extends keyof Events, Document> {
  /** The document after the event. The key says which of several documents it is. */
  fold(document: Document, event: EventOf<Events, Type>, key: string): Document
}
interface KeyedFeedOf<Events, Type extends keyof Events, Document> extends FeedOf<Events, Type, Document> {
  /** The id of the document that the event changes, or the ids of several. */
  key(event: EventOf<Events, Type>): string | readonly string[]
}
interface SlottedFeedOf<Events, Type extends keyof Events, Document> extends FeedOf<Events, Type, Document> {
  key?(event: EventOf<Events, Type>): string | readonly string[]
}

type Feeding<Events, Document> =
  | { slots?: undefined; feeds: { readonly [Type in keyof Events]?: KeyedFeedOf<Events, Type, Document> } }
  | {
      /** Keeps each document in sixteen slots, so that it is not hot. `fold` must give the same sum in any order and in any slot. */
      slots: true
      feeds: { readonly [Type in keyof Events]?: SlottedFeedOf<Events, Type, Document> }
    }

type ViewOf<Events, Schema> = {
  schema: Schema & z.ZodObject
  indexes?: { readonly [name: string]: IndexDefinition }
  /** A document before its first event. */
  zero: Output<Schema>
} & Feeding<Events, Output<Schema>>

export type Views<Events, V extends Schemas> = { readonly [Name in keyof V]: ViewOf<Events, V[Name]> }

/** Refuses an index on a field that the documents of a view do not have. */
export type IndexedViews<W> = {
  readonly [Name in keyof W]: W[Name] extends { indexes: unknown } ? IndexedBy<W[Name]> : unknown
}

/** The views of a domain that has none. */
export type NoViews = Record<never, never>

/** The views that queries read like collections. */
export type ViewCollections<W> = {
  readonly [Name in keyof W as W[Name] extends { slots: true } ? never : Name]: W[Name] extends {
    schema: infer Schema extends z.ZodObject
  }
    ? { schema: Schema; indexes: W[Name] extends { indexes: infer Indexes } ? Indexes : Record<never, never> }
    : never
}

export type SlottedIn<W> = keyof { [Name in keyof W as W[Name] extends { slots: true } ? Name : never]: true } & string
/** A slot of a view. */
export type SlotOf<W, Name> = Name extends keyof W
  ? W[Name] extends { schema: infer Schema }
    ? { _id: string } & Output<Schema>
    : never
  : never

interface Feed {
  key?(event: Event): string | string[]
  fold(document: Fields, event: Event, key: string): Fields
}

interface Definition {
  schema: z.ZodType
  indexes?: View['collection']['indexes']
  slots?: true
  zero: Fields
  feeds: { [type: string]: Feed }
}

/** What `decideDomain` was given by type, for the checks of a start. */
export interface Declared {
  events: string[]
  rules?: string[]
  projections?: string[]
  views?: { [name: string]: DeclaredView }
}

/** What `decideDomain` was given of a view. */
export interface DeclaredView {
  /** The types of the events that feed it. */
  feeds: string[]
  /** Those without a `key`, if the view has no slots either. */
  unkeyed: string[]
  /** Why `zero` does not fit the schema. */
  misfit?: string
}

type Definitions = { [name: string]: Definition }

/** What the start compares with the events that there are. */
export const declaredViews = (views: Definitions): { [name: string]: DeclaredView } =>
  Object.fromEntries(
    Object.entries(views).map(([name, { schema, zero, slots, feeds = {} }]) => {
      const unkeyed = slots ? [] : Object.keys(feeds).filter((type) => !feeds[type]?.key)
      const misfit = schema.safeParse(zero).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
      return [name, { feeds: Object.keys(feeds), unkeyed, ...(misfit ? { misfit: misfit.join('; ') } : {}) }]
    }),
  )

/** The views as the engine has them. */
export const viewsFrom = (views: Definitions): View[] =>
  Object.entries(views).map(([name, { indexes = {}, zero, slots, feeds }]) => ({
    collection: { name, indexes },
    zero,
    isSlotted: slots === true,
    keys(event) {
      const feed = feeds[event.type]
      return feed ? [feed.key?.(event) ?? ''].flat() : []
    },
    fold: (document, event, key) => feeds[event.type]?.fold(document, event, key) ?? document,
  }))
