import type { z } from 'zod'
import type { Contract, Parts } from './append-domain.ts'
import type { Change, Command, DecideDomain, Decision, DocumentReader, Event, NewEvent } from './domain.ts'
import type {
  ChangeOf,
  Collections,
  CommandOf,
  Commands,
  DecisionOf,
  DocumentsOf,
  EventOf,
  Indexed,
  JsonData,
  JsonOnly,
  KnownMembers,
  ProjectionsOf,
  RuleOf,
  RulesOf,
  Schemas,
  TouchOf,
} from './model.ts'
import { type QueryKinds, queryKinds } from './query-kinds.ts'
import { declaredViews, type IndexedViews, type NoViews, type ViewCollections, type Views, viewsFrom } from './views.ts'

/** The rules of each command type, or one function for all of them. */
type Deciding<M, E, K, Context> =
  | { rules: RulesOf<M, E, Context>; decide?: undefined }
  | { decide(command: CommandOf<M>, documents: DocumentsOf<K>): DecisionOf<E>; rules?: undefined }

/** The projection of each event type, or one function for all of them. */
type Projecting<E, K> =
  | { projections: ProjectionsOf<E, K>; project?: undefined }
  | { project(event: EventOf<E>, documents: DocumentsOf<K>): ChangeOf<K>[]; projections?: undefined }

interface DecideParts<M, K extends Collections, Context> extends Parts<M> {
  /** `ordered` adds a poll of 200 ms to each command. Use `unordered` if a stream's commands commute or come one at a time. */
  ordering: 'ordered' | 'unordered'
  /** The documents that the rules see for this command. They may change those of the command's stream, and read any other. */
  touches(command: CommandOf<M>): TouchOf<K>[]
  /** What `rules` get beside the command. Without it they get the documents. */
  context?(command: CommandOf<M>, documents: DocumentsOf<K>): Context
}

/** The commands of a domain, where they stand in a file of their own. */
export const defineCommands = <C extends Schemas, const M>(
  commands: M & Commands<C> & JsonData<M> & KnownMembers<M>,
): M => commands

/** The views of a domain with these events, where they stand in a file of their own. */
export const defineViews = <E extends Schemas, V extends Schemas, const W>(
  _events: E,
  views: W & Views<NoInfer<E>, V> & IndexedViews<W>,
): W => views

/**
 * What the compiler has not inferred. It infers from functions last, and not at all once something else does not fit. Types that
 * stand for everything keep it from reporting that one mistake at every function.
 */
// biome-ignore lint/suspicious/noExplicitAny: it must fit everything
type Unknown = any

/** The commands as rules see them. Their schemas are known before any function is. */
type OfSchemas<C extends Schemas> = { readonly [Type in keyof NoInfer<C>]: { data: NoInfer<C[Type]> } }

/** The names of the members that are given. They are known before any type is. */
type Members<G> = { [Name in keyof G]: unknown }
type If<G, Name extends string, Then, Else> = Name extends keyof G ? Then : Else

/** Defines a domain with rules. Its types follow from its schemas: of commands, of events and of documents. */
export function decideDomain<
  C extends Schemas,
  const M,
  E extends Schemas,
  const K extends Collections,
  const Q extends readonly unknown[],
  Context = Unknown,
  V extends Schemas = NoViews,
  const W = Unknown,
  G = unknown,
>(
  domain: DecideParts<OfSchemas<C>, NoInfer<K>, Context> &
    Members<G> & {
      commands: M & Commands<C> & JsonData<M> & KnownMembers<M>
      /** The schema of each event type's data. A rule that makes another event is at fault. */
      events: E & JsonOnly<E>
      collections: K & Indexed<K>
      /** Documents that the events of any streams change, by the keys that the events give. Queries read them, rules do not. */
      views?: W & Views<NoInfer<E>, V> & IndexedViews<W>
      queries(kinds: QueryKinds<K, E, If<G, 'views', W, NoViews>>): Q
    } & Deciding<OfSchemas<C>, NoInfer<E>, NoInfer<K>, If<G, 'context', Context, DocumentsOf<NoInfer<K>>>> &
    Projecting<NoInfer<E>, NoInfer<K>>,
): DecideDomain & Contract<'decide', M, Q, E, K & ViewCollections<If<G, 'views', W, NoViews>>> {
  const { events, context, rules, projections, views, queries, ...parts } = domain
  const { commands, collections } = parts
  const decide = rules ? fromRules({ context, rules } as unknown as Rules) : domain.decide
  const made = queries(queryKinds as never)
  const erased = {
    ...parts,
    kind: 'decide' as const,
    collections: Object.entries(collections).map(([name, { indexes }]) => ({ name, indexes })),
    decide: decide && checking(events, decide as Decide),
    project: projections ? fromProjections(projections as never) : domain.project,
    ...(views ? { views: viewsFrom(views as never) } : {}),
    queries: made,
    declared: {
      events: Object.keys(events),
      ...(rules ? { rules: Object.keys(rules) } : {}),
      ...(projections ? { projections: Object.keys(projections) } : {}),
      ...(views ? { views: declaredViews(views as never) } : {}),
    },
    contract: { kind: 'decide', commands, queries: made, events, collections: { ...collections, ...views } },
  }
  // The engine handles all data alike. The types above make sure that each function gets the data of its own.
  return erased as never
}

type Decide = (command: Command, documents: DocumentReader) => Decision

function checking(schemas: Schemas, decide: Decide): Decide {
  return (command, documents) => {
    const decision = decide(command, documents)
    if ('events' in decision) for (const event of decision.events) checkEvent(schemas, event, command.type)
    return decision
  }
}

/** Throws for an event that is not declared, or does not fit its schema: it would be kept for ever. */
export function checkEvent(schemas: Schemas, { type, data }: NewEvent, command?: string): void {
  const schema = schemas[type]
  const made = `the event ${type}${command === undefined ? '' : `, which the rule of ${command} made,`}`
  if (!schema) throw new Error(`${made} is not declared: events has ${Object.keys(schemas).join(', ')}`)
  const { error } = schema.safeParse(data, { reportInput: true })
  if (error) throw new Error(`${made} does not fit its schema: ${error.issues.map(sentenceOf).join('; ')}`)
}

const sentenceOf = ({ path, message, input }: z.core.$ZodIssue): string =>
  `${['data', ...path].join('.')}: ${message}${input === undefined ? '' : ` (${JSON.stringify(input)?.slice(0, MAX_QUOTED)})`}`

const MAX_QUOTED = 60

interface Rules {
  context?(command: Command, documents: DocumentReader): unknown
  rules: { [type: string]: RuleOf<{ it: { data: z.ZodType } }, Schemas, 'it', unknown> }
}

const fromRules =
  ({ context = (_, documents) => documents, rules }: Rules): Decide =>
  (command, documents) => {
    const rule = rules[command.type]
    if (!rule) throw new Error(`the command ${command.type} has no rule`)
    const seen = context(command, documents)
    for (const rejection of rule.unless ?? []) {
      const reason = rejection(command as never, seen)
      if (reason) return { rejected: reason }
    }
    return { events: rule.events(command as never, seen) as NewEvent[] }
  }

type Projections = { [type: string]: (event: Event, documents: DocumentReader) => Change[] }

const fromProjections =
  (projections: Projections) =>
  (event: Event, documents: DocumentReader): Change[] => {
    const projection = projections[event.type]
    if (!projection) throw new Error(`the event ${event.type} has no projection`)
    return projection(event, documents)
  }
