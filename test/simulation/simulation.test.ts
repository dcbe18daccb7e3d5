import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Coverage, newCoverage } from './coverage.ts'
import { type History, histories } from './history.ts'
import { judge } from './judge.ts'
import { simulate } from './simulate.ts'

/**
 * Plays thousands of histories on the real publish, persist, query and sources. A history has commands, faults and operators in
 * a random order. One that breaks an invariant is shrunk and printed with `seed` and `path`. To play it again:
 * `SIMULATION_SEED=<seed> SIMULATION_PATH=<path> npx vitest run --project simulation simulation.test.ts`.
 */
const { SIMULATION_RUNS = '1500', SIMULATION_SEED = String(Date.now() % 2 ** 31), SIMULATION_PATH } = process.env
const seed = Number(SIMULATION_SEED)
const numRuns = Number(SIMULATION_RUNS)

const play = async (history: History, coverage: Coverage) => judge(await simulate(history, coverage))

test('every history keeps the invariants: nothing is lost or applied twice, and order holds', async () => {
  const coverage = newCoverage()
  const began = performance.now()
  const replayed = SIMULATION_PATH === undefined ? {} : { path: SIMULATION_PATH, endOnFailure: true }
  await fc.assert(
    fc.asyncProperty(histories, (history) => play(history, coverage)),
    { numRuns, seed, ...replayed },
  )
  const perSecond = Math.round((1000 * numRuns) / (performance.now() - began))
  console.log(`${numRuns} histories of seed ${seed}, ${perSecond} each second`)
  if (SIMULATION_PATH === undefined && numRuns >= 1000)
    expect(EXPECTED.filter((what) => !coverage.counts.has(what))).toEqual([])
})

/** The faults and outcomes that must occur, or the simulation does not test what it claims. */
const EXPECTED = [
  ...['acknowledged', 'ambiguous', 'refused', 'applied', 'the stream is at version', 'the purse is closed'],
  ...['a purse does not go below zero', 'this key was used before, for a command with another body', 'discarded'],
  ...[
    'reported applied',
    'reported rejected',
    'reported parked',
    'reported pending',
    'own write shown',
    'own write not shown',
  ],
  ...[
    'response 204',
    'response 422',
    'response 500',
    'response 503',
    'source: delivered',
    'source: refused',
    'dead letter',
  ],
  ...[
    'store unavailable',
    'store ambiguous',
    'log unavailable',
    'log ambiguous',
    'sink unavailable',
    'responses lost',
    'zombie',
    'conflict',
  ],
  ...[
    'injected conflict',
    'crash',
    'crash of a command',
    'commit of a killed process',
    'rolled back',
    'rebalance',
    'deploy',
  ],
  ...['log in first', 'you are banned', 'you are banned from this thread', 'this account is banned'],
  ...[
    'this account is not banned',
    'this account is banned from the thread',
    'the last moderator of a thread cannot be removed',
  ],
  ...['this account is not banned from the thread', 'this account is a moderator of the thread', 'the post is deleted'],
  ...['this account is not a moderator of the thread', 'only a moderator of the thread may do that'],
  ...['the thread does not exist or was deleted', 'there is no such post in this thread', 'raced with another stream'],
  ...['only its author may edit a post'],
  ...['only its author or a moderator of the thread may delete a post'],
  ...['forged command', 'forged seal', 'seal of another value', 'seal again', 'id of another'],
  ...['redrive', 'discard', 'stray', 'parked', 'parked behind another', 'given up by a source'],
]

test('the same seed gives the same run', async () => {
  const [history] = fc.sample(histories, { numRuns: 1, seed: 4711 }) as [History]
  const coverages = [newCoverage(), newCoverage()]
  const ends: unknown[] = []
  for (const coverage of coverages) {
    const { topics, domains, replicas } = await simulate(history, coverage)
    const records = domains.map(({ topic }) => topics.partitions(topic.name))
    ends.push([coverage.counts, records, replicas.inserts])
  }
  expect(ends[0]).toEqual(ends[1])
  expect(coverages[0]?.counts.get('send')).toBeGreaterThan(0)
})
