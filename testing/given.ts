import { AssertionError } from 'node:assert'
import type { Domain, Json } from '#domains/domain.ts'
import { differenceOfAnswer, differenceOfOutcome, type ExpectedOutcome, result } from './check.ts'
import { type Answered, clientOf, type Question } from './client.ts'
import type { Difference } from './difference.ts'
import type { Sent } from './sent-command.ts'
import { framesAbove, pointTo } from './stack.ts'
import type {
  AnswerTo,
  CallerOptions,
  DomainSchemas,
  Expected,
  ExpectedAnswer,
  Fact,
  Outcome,
  ParamsTo,
  QueryName,
  SchemasOf,
  SentCommand,
} from './types.ts'
import { type Applied, type Documents, inWorld, type Past, type World } from './world.ts'

/** A command of a domain, for functions that make them: `CommandTo<typeof orders>`. */
export type CommandTo<D extends Domain> = SentCommand<SchemasOf<D>>

interface Queried<C extends DomainSchemas> {
  /**
   * Compares the answer to a query: by its name with parameters, or at a path with a query string. A live query answers with what is
   * inserted after the facts, or without a command from the first one on. It has one signature, since an error at several is about the last one.
   */
  thenQuery<Name extends QueryName<C> | `/${string}`>(
    query: Name,
    ...check: Name extends `/${string}`
      ? [expected: Json | bigint, options?: CallerOptions]
      : [params: ParamsTo<C, Name>, expected: ExpectedAnswer<AnswerTo<C, Name>>, options?: CallerOptions]
  ): Promise<void>
}

export interface When<C extends DomainSchemas> extends Promise<Outcome<C>>, Queried<C> {
  /**
   * Compares the outcome: all events with all their data, and of documents the members that are named. The method is not called
   * `then`, because `await` calls a method of that name.
   */
  thenExpect(expected: Expected<C>): Promise<Outcome<C>>
}

export interface Given<C extends DomainSchemas> extends Queried<C> {
  when(command: SentCommand<C>): When<C>
  /** The answer to a query, for tests that compare it themselves. Throws the problem that refuses it. */
  query<Name extends QueryName<C>>(
    name: Name,
    params: ParamsTo<C, Name>,
    options?: CallerOptions,
  ): Promise<AnswerTo<C, Name>>
}

/**
 * Given events that happened and commands that were applied, when a command arrives, then it has this outcome, and queries have these
 * answers. Runs the whole domain on an empty store in memory. Throws if a given command is not applied, or if the domain's
 * code throws.
 */
export function given<D extends Domain>(domain: D, ...facts: Fact<SchemasOf<D>>[]): Given<SchemasOf<D>> {
  // The types above are those of the domain. Below them all domains are alike.
  const scenario = { domain, facts: facts as (Sent | Past)[] }
  const when = (command: Sent) => whenOf({ ...scenario, command, caller: framesAbove(when) })

  async function thenQuery(name: string, ...rest: unknown[]): Promise<void> {
    await checkQuery({ ...scenario, caller: framesAbove(thenQuery) }, name, rest)
  }

  async function query(name: string, params: object, options?: CallerOptions) {
    const caller = framesAbove(query)
    const { answered } = await run({ ...scenario, caller }, { name, params }, options)
    if (!answered || !('problem' in answered)) return answered?.answer
    pointTo(answered.problem, caller)
    throw answered.problem
  }

  return { when, thenQuery, query } as unknown as Given<SchemasOf<D>>
}

interface Scenario {
  domain: Domain
  facts: (Sent | Past)[]
  command?: Sent
  /** The frames of the test's line. */
  caller: string
}

interface Ran {
  applied: Applied | undefined
  documents: Documents
  answered: Answered | undefined
}

/** Runs a scenario from the start, and asks the question at its end. */
async function run(scenario: Scenario, question?: Question, options: CallerOptions = {}): Promise<Ran> {
  const { domain, facts, command, caller } = scenario
  try {
    return await inWorld(domain, async (world) => {
      const client = question && clientOf(domain, world.store, question, options)
      if (!command) await client?.connect()
      for (const fact of facts) await establish(world, fact)
      if (command) await client?.connect()
      const applied = command && (await world.apply(command))
      return { applied, documents: world.documents(), answered: await client?.ask() }
    })
  } catch (error) {
    pointTo(error, caller)
    throw error
  }
}

async function establish(world: World, fact: Sent | Past): Promise<void> {
  if ('stream' in fact && fact.stream !== undefined) return await world.happen(fact)
  const applied = await world.apply(fact)
  if (!('events' in applied)) throw new Error(`the given command ${fact.type} must be applied, but ${result(applied)}`)
}

function whenOf(scenario: Scenario) {
  const outcome = run(scenario).then(outcomeOf)

  async function thenExpect(expected: ExpectedOutcome) {
    const caller = framesAbove(thenExpect)
    const { documents, document: _, ...applied } = await outcome
    failOn(differenceOfOutcome(applied, documents, expected), { ...scenario, caller })
    return await outcome
  }

  async function thenQuery(name: string, ...rest: unknown[]): Promise<void> {
    const caller = framesAbove(thenQuery)
    await outcome
    await checkQuery({ ...scenario, caller }, name, rest)
  }

  return Object.assign(outcome, { thenExpect, thenQuery })
}

const outcomeOf = ({ applied = { events: [] }, documents }: Ran) => ({
  ...applied,
  documents,
  document: (collection: string, id: string) => documents[collection]?.[id],
})

async function checkQuery(scenario: Scenario, name: string, rest: unknown[]): Promise<void> {
  const isPath = name.startsWith('/')
  const [params, expected, options] = (isPath ? [{}, ...rest] : rest) as [object, unknown, CallerOptions?]
  const { answered } = await run(scenario, isPath ? { path: name } : { name, params }, options)
  if (answered) failOn(differenceOfAnswer(`the query ${name}`, answered, expected), scenario)
}

/** Throws the difference as an error that points to the line of the test. */
function failOn(difference: Difference | undefined, { facts, command, caller }: Scenario): void {
  if (!difference) return
  const { text, actual, expected } = difference
  const when = command ? `, when ${command.type}` : ''
  const message = `given ${listed(facts.map(({ type }) => type))}${when}, then ${text}`
  const error = new AssertionError({ message, actual, expected, operator: 'given' })
  error.stack = `${error.name}: ${message}\n${caller}`
  throw error
}

const MAX_LISTED = 5

function listed(types: string[]): string {
  if (types.length === 0) return 'nothing'
  const more = types.length > MAX_LISTED ? ` and ${types.length - MAX_LISTED} more` : ''
  return types.slice(0, MAX_LISTED).join(', ') + more
}
