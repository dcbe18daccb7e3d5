import fc from 'fast-check'
import { FORUM, opening } from './forum.ts'
import type { Person } from './people.ts'
import { FLAWS } from './purses.ts'
import { STRAYS, type Stray } from './strays.ts'
import { WEATHER, type Weather } from './weather.ts'

/** What a client asks for, and how. */
export interface Asked {
  method?: 'PUT' | 'PATCH' | 'DELETE'
  path: string
  /** A list is a batch. */
  body: Record<string, unknown> | Record<string, unknown>[] | undefined
  /** Nobody in particular where nothing is said. */
  as?: Person | undefined
  key?: string | undefined
  ifMatch?: number | undefined
  /** Whether it waits for the outcome. */
  waits: boolean
  /** Whether it reads what it did, and its receipt, before all is done. */
  reads: boolean
  /** How often it repeats what was not acknowledged. */
  repeats: number
}

export type Action =
  | { do: 'send'; asked: Asked }
  | { do: 'stray'; stray: Stray }
  | { do: 'weather'; weather: Weather; ms: number }
  | { do: 'crash' | 'rebalance'; at: number }
  | { do: 'failover' }
  | { do: 'deploy'; isMended: boolean }
  /** By the letter with this number, if there are as many. */
  | { do: 'redrive'; by: 'id' | 'stream' | 'domain' | 'error'; letter: number }
  | { do: 'discard'; letter: number }

export interface History {
  /** Of all that is left to chance: how long things take, and whom the weather hits. */
  seed: number
  /** Whether the unordered sources give up soon, as all do after days of an outage: the error topic brings back what they gave up. */
  isImpatient: boolean
  actions: { after: number; action: Action }[]
}

const small = fc.nat({ max: 5 })
const rarely = fc.constantFrom(false, false, false, true)
const manner = {
  /** Keys of those who bring a token belong to them; each other's anonymous keys are in nobody's way. */
  as: fc.constantFrom<Person | undefined>('ada', 'ada', 'ada', 'bob', undefined),
  key: fc.option(fc.constantFrom('key-1', 'key-2', 'key-3'), { nil: undefined, freq: 2 }),
  waits: rarely,
  reads: rarely,
  repeats: fc.nat({ max: 2 }),
}
const asked = (path: string, body: fc.Arbitrary<Asked['body']>, more = {}): fc.Arbitrary<Asked> =>
  fc.record({ path: fc.constant(path), body, ...manner, ...more }) as fc.Arbitrary<Asked>

type Mix = { weight: number; arbitrary: fc.Arbitrary<Action> }[]

const sending = (path: string, body: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<Action> =>
  fc.record({ do: fc.constant('send'), asked: asked(path, body) })

const purse = fc.constantFrom('a', 'b')
const ifMatch = fc.option(small, { nil: undefined, freq: 3 })

const logEvent = fc.record({
  organizationId: fc.constantFrom('acme', 'acme', 'other'),
  level: fc.constantFrom('info', 'error'),
  message: fc.constantFrom('payment taken', 'payment declined'),
  service: fc.constant('shop'),
})
const refusedLine = fc.constant({ organizationId: 'acme' })
const lines = fc.array(fc.oneof({ weight: 5, arbitrary: logEvent }, { weight: 1, arbitrary: refusedLine }), {
  minLength: 1,
  maxLength: 4,
})

/** The commands of the domains that take part, and how often they come beside each other. */
const COMMANDS: { weight: number; arbitrary: fc.Arbitrary<Asked> }[] = [
  {
    weight: 8,
    arbitrary: asked('/api/purses/move', fc.record({ purse, by: fc.integer({ min: -20, max: 60 }) }), { ifMatch }),
  },
  {
    weight: 2,
    arbitrary: asked('/api/purses/move', fc.record({ purse, by: small, flaw: fc.constantFrom(...FLAWS) })),
  },
  { weight: 1, arbitrary: asked('/api/purses/close', fc.record({ purse })) },
  {
    weight: 3,
    arbitrary: asked(
      '/api/sums',
      fc.record(
        { firstNumber: small, secondNumber: small, requestId: fc.constantFrom('r-1', 'r-2') },
        { requiredKeys: ['firstNumber', 'secondNumber'] },
      ),
    ),
  },
  { weight: 3, arbitrary: asked('/api/tutorials', fc.record({ title: fc.constantFrom('one', 'two', 'three') })) },
  { weight: 2, arbitrary: asked('/api/logs', logEvent) },
  { weight: 2, arbitrary: asked('/api/logs', lines) },
]

const ms = fc.oneof(fc.integer({ min: 10, max: 2000 }), fc.integer({ min: 2000, max: 200_000 }))

const sendingAll = (commands: typeof COMMANDS): Mix =>
  commands.map(({ weight, arbitrary }) => ({
    weight: 2 * weight,
    arbitrary: fc.record({ do: fc.constant('send'), asked: arbitrary }),
  }))

const redrive: fc.Arbitrary<Action> = fc.record({
  do: fc.constant('redrive'),
  by: fc.constantFrom('id', 'stream', 'domain', 'error'),
  letter: small,
})
const discard: fc.Arbitrary<Action> = fc.record({ do: fc.constant('discard'), letter: small })
const weather = (...among: Weather[]): fc.Arbitrary<Action> =>
  fc.record({ do: fc.constant('weather'), weather: fc.constantFrom(...among), ms })
const crash: fc.Arbitrary<Action> = fc.record({ do: fc.constant('crash'), at: small })
const rebalance: fc.Arbitrary<Action> = fc.record({ do: fc.constant('rebalance'), at: small })

/** What goes wrong, and what is done about it, in about the measure in which it happens. */
const troubles: Mix = [
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('stray'), stray: fc.constantFrom(...(Object.keys(STRAYS) as Stray[])) }),
  },
  { weight: 6, arbitrary: weather(...WEATHER) },
  { weight: 3, arbitrary: crash },
  { weight: 2, arbitrary: rebalance },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('failover') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deploy'), isMended: fc.boolean() }) },
  { weight: 3, arbitrary: redrive },
  { weight: 1, arbitrary: discard },
]

/** Operators who are at the letters of a stream while its commands come in, twice if they can. */
const operators: Mix = [
  { weight: 4, arbitrary: sending('/api/purses/move', fc.record({ purse: fc.constant('a'), by: small })) },
  { weight: 1, arbitrary: sending('/api/purses/close', fc.record({ purse: fc.constant('a') })) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deploy'), isMended: fc.constant(true) }) },
  { weight: 2, arbitrary: redrive },
  { weight: 2, arbitrary: discard },
  { weight: 1, arbitrary: weather('zombies', 'answers lost', 'conflicts') },
  { weight: 1, arbitrary: rebalance },
]

/** Mostly close together, and sometimes so far apart that all is done in between. */
const after = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 20 }) },
  { weight: 2, arbitrary: fc.nat({ max: 500 }) },
  { weight: 1, arbitrary: fc.nat({ max: 20_000 }) },
)

const historiesOf = (mix: Mix, first: History['actions'] = []): fc.Arbitrary<History> =>
  fc.record({
    // Another seed is another story, not a shorter one.
    seed: fc.noShrink(fc.nat()),
    isImpatient: rarely,
    actions: fc
      .array(fc.record({ after, action: fc.oneof(...mix) }), { maxLength: 40, size: 'max' })
      .map((actions) => [...first, ...actions]),
  })

/** A thread that the rest is about. */
const open: History['actions'] = [{ after: 0, action: { do: 'send', asked: opening('ada') } }]

export const forumHistories = historiesOf([...sendingAll(FORUM), ...troubles], open)

export const otherHistories: fc.Arbitrary<History> = fc.oneof(
  { weight: 3, arbitrary: historiesOf([...sendingAll(COMMANDS), ...troubles]) },
  { weight: 1, arbitrary: historiesOf(operators) },
)

export const histories: fc.Arbitrary<History> = fc.oneof(
  { weight: 2, arbitrary: otherHistories },
  { weight: 1, arbitrary: forumHistories },
)
