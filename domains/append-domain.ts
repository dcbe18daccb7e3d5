import type { AppendDomain, Topic } from './domain.ts'
import type {
  CollectionDefinition,
  CommandOf,
  Commands,
  IndexedBy,
  JsonData,
  KnownMembers,
  Output,
  Schemas,
} from './model.ts'
import type { Query } from './query.ts'
import { type QueryKinds, queryKinds } from './query-kinds.ts'

/** A domain with its types: those of the typed client, and those of the tests of its rules. */
export interface Contract<Kind, M, Q extends readonly unknown[], E, K> {
  contract: Inferred<Q, { kind: Kind; commands: M; queries: Q; events: E; collections: K }>
}

/**
 * The types, or anything as long as a mistake in the domain keeps the compiler from inferring them. It then knows no query, and the
 * mistake is its one error: not every line of a test or of a client is another one.
 */
// biome-ignore lint/suspicious/noExplicitAny: it must fit everything
type Inferred<Q extends readonly unknown[], Types> = unknown extends Q[number] ? any : Types

/** The events of a domain that has none. */
type NoEvents = Record<never, never>

/** The parts that both kinds of domain have. `domains/domain.ts` says what they mean. */
export interface Parts<M> {
  name: string
  topic: TopicOf<M>
  roles?: { [role: string]: string[] }
}

/** The topic of a domain with these commands. */
export interface TopicOf<M> extends Omit<Topic, 'plain' | 'record'> {
  plain?: keyof M & string
  record?: Omit<NonNullable<Topic['record']>, 'encode'> & {
    encode(data: CommandOf<M>['data'], command: { id: string; time: string }): string
  }
}

interface AppendParts<M, S extends CollectionDefinition, N extends string> extends Parts<M> {
  documents: S &
    IndexedBy<S> & {
      collection: N
      document(command: CommandOf<M>): Output<S['schema']>
      /** The days after which a document is removed, counted from its field `time`. A command is known for as long as its document. */
      retentionDays?: number
    }
}

/** Defines a domain in which each command becomes one document with the command's id. Its types follow from its schemas. */
export function appendDomain<
  C extends Schemas,
  const M,
  const S extends CollectionDefinition,
  const N extends string,
  const Q extends readonly unknown[],
>(
  domain: AppendParts<M, S, N> & {
    commands: M & Commands<C> & JsonData<M> & KnownMembers<M>
    queries(kinds: QueryKinds<{ readonly [Name in N]: S }>): Q
  },
): AppendDomain & Contract<'append', M, Q, NoEvents, { readonly [Name in N]: S }> {
  const { documents, commands, queries, ...parts } = domain
  const { collection: name, indexes, document, retentionDays } = documents
  const made = queries(queryKinds as never)
  const erased = {
    ...parts,
    kind: 'append' as const,
    commands,
    documents: {
      collection: { name, indexes },
      document,
      ...(retentionDays === undefined ? {} : { retentionDays }),
    },
    queries: made as unknown as readonly Query[],
    contract: { kind: 'append', commands, queries: made, events: {}, collections: { [name]: documents } },
  }
  // The engine handles the data of all commands alike. The types above make sure that each function gets the data of its own.
  return erased as unknown as AppendDomain & Contract<'append', M, Q, NoEvents, { readonly [Name in N]: S }>
}
