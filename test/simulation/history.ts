import fc from 'fast-check'
import { BACKGROUND_FAULTS, type BackgroundFault } from './background-faults.ts'
import { FORUM, opening } from './forum.ts'
import type { Person } from './people.ts'
import { FLAWS } from './purses.ts'
import { STRAYS, type Stray } from './strays.ts'

/** A request of a client, and how the client handles its response. */
export interface ClientRequest {
  method?: 'PUT' | 'PATCH' | 'DELETE'
  path: string
  /** A list is a batch. */
  body: Record<string, unknown> | Record<string, unknown>[] | undefined
  /** The caller; anonymous by default. */
  as?: Person | undefined
  key?: string | undefined
  ifMatch?: number | undefined
  /** True when the client waits for the outcome. */
  waits: boolean
  /** True when the client reads its write and its receipt at once. */
  reads: boolean
  /** The number of times that the client repeats a request without an acknowledgement. */
  repeats: number
}

export type Action =
  | { do: 'send'; request: ClientRequest }
  | { do: 'stray'; stray: Stray }
  | { do: 'background fault'; fault: BackgroundFault; ms: number }
  | { do: 'crash' | 'rebalance'; at: number }
  | { do: 'failover' }
  | { do: 'deploy'; isMended: boolean }
  /** Redrives by a property of the letter with this number, if it exists. */
  | { do: 'redrive'; by: 'id' | 'stream' | 'domain' | 'error'; letter: number }
  | { do: 'discard'; letter: number }

export interface History {
  /** The seed of latencies and of the calls that background faults hit. */
  seed: number
  /** True when the unordered sources give up early, as all sources do after days of an outage. The error topic then has their records. */
  isImpatient: boolean
  actions: { after: number; action: Action }[]
}

const small = fc.nat({ max: 5 })
const rarely = fc.constantFrom(false, false, false, true)
const manner = {
  /** A key belongs to its caller, so callers with the same key do not conflict. */
  as: fc.constantFrom<Person | undefined>('ada', 'ada', 'ada', 'bob', undefined),
  key: fc.option(fc.constantFrom('key-1', 'key-2', 'key-3'), { nil: undefined, freq: 2 }),
  waits: rarely,
  reads: rarely,
  repeats: fc.nat({ max: 2 }),
}
const request = (path: string, body: fc.Arbitrary<ClientRequest['body']>, more = {}): fc.Arbitrary<ClientRequest> =>
  fc.record({ path: fc.constant(path), body, ...manner, ...more }) as fc.Arbitrary<ClientRequest>

type Mix = { weight: number; arbitrary: fc.Arbitrary<Action> }[]

const sending = (path: string, body: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<Action> =>
  fc.record({ do: fc.constant('send'), request: request(path, body) })

/** Two of them share a partition. */
const purse = fc.constantFrom('a', 'b', 'c')
const ifMatch = fc.option(small, { nil: undefined, freq: 3 })

const logEvent = fc.record({
  organizationId: fc.constantFrom('acme', 'acme', 'other'),
  level: fc.constantFrom('info', 'error'),
  message: fc.constantFrom('payment taken', 'payment declined'),
  service: fc.constant('shop'),
})
const invalidLine = fc.constant({ organizationId: 'acme' })
const lines = fc.array(fc.oneof({ weight: 5, arbitrary: logEvent }, { weight: 1, arbitrary: invalidLine }), {
  minLength: 1,
  maxLength: 4,
})

/** The commands of the other domains with their relative frequencies. */
const COMMANDS: { weight: number; arbitrary: fc.Arbitrary<ClientRequest> }[] = [
  {
    weight: 8,
    arbitrary: request('/api/purses/move', fc.record({ purse, by: fc.integer({ min: -20, max: 60 }) }), { ifMatch }),
  },
  {
    weight: 2,
    arbitrary: request('/api/purses/move', fc.record({ purse, by: small, flaw: fc.constantFrom(...FLAWS) })),
  },
  { weight: 1, arbitrary: request('/api/purses/close', fc.record({ purse })) },
  {
    weight: 3,
    arbitrary: request(
      '/api/sums',
      fc.record(
        { firstNumber: small, secondNumber: small, requestId: fc.constantFrom('r-1', 'r-2') },
        { requiredKeys: ['firstNumber', 'secondNumber'] },
      ),
    ),
  },
  { weight: 3, arbitrary: request('/api/tutorials', fc.record({ title: fc.constantFrom('one', 'two', 'three') })) },
  { weight: 2, arbitrary: request('/api/logs', logEvent) },
  { weight: 2, arbitrary: request('/api/logs', lines) },
]

const ms = fc.oneof(fc.integer({ min: 10, max: 2000 }), fc.integer({ min: 2000, max: 200_000 }))

const sendingAll = (commands: typeof COMMANDS): Mix =>
  commands.map(({ weight, arbitrary }) => ({
    weight: 2 * weight,
    arbitrary: fc.record({ do: fc.constant('send'), request: arbitrary }),
  }))

const redrive: fc.Arbitrary<Action> = fc.record({
  do: fc.constant('redrive'),
  by: fc.constantFrom('id', 'stream', 'domain', 'error'),
  letter: small,
})
const discard: fc.Arbitrary<Action> = fc.record({ do: fc.constant('discard'), letter: small })
const backgroundFault = (...among: BackgroundFault[]): fc.Arbitrary<Action> =>
  fc.record({ do: fc.constant('background fault'), fault: fc.constantFrom(...among), ms })
const crash: fc.Arbitrary<Action> = fc.record({ do: fc.constant('crash'), at: small })
const rebalance: fc.Arbitrary<Action> = fc.record({ do: fc.constant('rebalance'), at: small })

/** Faults and what operators do about them, with their relative frequencies. */
const faultsAndRepairs: Mix = [
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('stray'), stray: fc.constantFrom(...(Object.keys(STRAYS) as Stray[])) }),
  },
  { weight: 6, arbitrary: backgroundFault(...BACKGROUND_FAULTS) },
  { weight: 3, arbitrary: crash },
  { weight: 2, arbitrary: rebalance },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('failover') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deploy'), isMended: fc.boolean() }) },
  { weight: 3, arbitrary: redrive },
  { weight: 1, arbitrary: discard },
]

/** Operators who redrive and discard the letters of one stream while its commands arrive. */
const operators: Mix = [
  { weight: 4, arbitrary: sending('/api/purses/move', fc.record({ purse: fc.constant('a'), by: small })) },
  { weight: 1, arbitrary: sending('/api/purses/close', fc.record({ purse: fc.constant('a') })) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deploy'), isMended: fc.constant(true) }) },
  { weight: 2, arbitrary: redrive },
  { weight: 2, arbitrary: discard },
  { weight: 1, arbitrary: backgroundFault('zombies', 'responses lost', 'conflicts') },
  { weight: 1, arbitrary: rebalance },
]

/** The pause before an action: mostly short, and sometimes so long that everything ends in between. */
const after = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 20 }) },
  { weight: 2, arbitrary: fc.nat({ max: 500 }) },
  { weight: 1, arbitrary: fc.nat({ max: 20_000 }) },
)

const historiesOf = (mix: Mix, first: History['actions'] = []): fc.Arbitrary<History> =>
  fc.record({
    // Another seed is another scenario, not a simpler one.
    seed: fc.noShrink(fc.nat()),
    isImpatient: rarely,
    actions: fc
      .array(fc.record({ after, action: fc.oneof(...mix) }), { maxLength: 40, size: 'max' })
      .map((actions) => [...first, ...actions]),
  })

/** The thread of most other actions. */
const open: History['actions'] = [{ after: 0, action: { do: 'send', request: opening('ada') } }]

export const forumHistories = historiesOf([...sendingAll(FORUM), ...faultsAndRepairs], open)

export const otherHistories: fc.Arbitrary<History> = fc.oneof(
  { weight: 3, arbitrary: historiesOf([...sendingAll(COMMANDS), ...faultsAndRepairs]) },
  { weight: 1, arbitrary: historiesOf(operators) },
)

export const histories: fc.Arbitrary<History> = fc.oneof(
  { weight: 2, arbitrary: otherHistories },
  { weight: 1, arbitrary: forumHistories },
)
