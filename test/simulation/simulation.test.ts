import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type History, histories } from './history.ts'
import { judge } from './judge.ts'
import { newSeen, type Seen } from './seen.ts'
import { simulate } from './simulate.ts'

/**
 * Thousands of histories, each of them commands, faults and operators in an order of their own, played on the real publish,
 * persist, query and sources. One that ends as it must not is shrunk, and printed with `seed` and `path`; to play it again:
 * `SIMULATION_SEED=<seed> SIMULATION_PATH=<path> npx vitest run --project simulation simulation.test.ts`.
 */
const { SIMULATION_RUNS = '1500', SIMULATION_SEED = String(Date.now() % 2 ** 31), SIMULATION_PATH } = process.env
const seed = Number(SIMULATION_SEED)
const numRuns = Number(SIMULATION_RUNS)

const play = async (history: History, seen: Seen) => judge(await simulate(history, seen))

test('whatever happens, nothing is lost, nothing happens twice, and order holds', async () => {
  const seen = newSeen()
  const began = performance.now()
  const again = SIMULATION_PATH === undefined ? {} : { path: SIMULATION_PATH, endOnFailure: true }
  await fc.assert(
    fc.asyncProperty(histories, (history) => play(history, seen)),
    { numRuns, seed, ...again },
  )
  const perSecond = Math.round((1000 * numRuns) / (performance.now() - began))
  console.log(`${numRuns} histories of seed ${seed}, ${perSecond} each second`)
  if (SIMULATION_PATH === undefined && numRuns >= 1000)
    expect(EXPECTED.filter((what) => !seen.counts.has(what))).toEqual([])
})

/** Without these the simulation would be of something else, or of nothing. */
const EXPECTED = [
  ...['acknowledged', 'ambiguous', 'refused', 'applied', 'the stream is at version', 'the purse is closed'],
  ...['a purse does not go below zero', 'this key was used before, for a command with another body', 'discarded'],
  ...['told applied', 'told rejected', 'told parked', 'told pending', 'own write shown', 'own write not shown'],
  ...[
    'answer 204',
    'answer 422',
    'answer 500',
    'answer 503',
    'source: delivered',
    'source: dead letter',
    'dead letter',
  ],
  ...['store away', 'store unsure', 'log away', 'log unsure', 'sink away', 'answers lost', 'zombie', 'conflict'],
  ...['feigned conflict', 'crash', 'crash of a command', 'commit of the dead', 'rolled back', 'rebalance', 'deploy'],
  ...['log in first', 'you are banned', 'you are banned from this thread', 'this account is banned'],
  ...[
    'this account is not banned',
    'this account is banned from the thread',
    'the last moderator of a thread cannot be removed',
  ],
  ...['this account is not banned from the thread', 'this account is a moderator of the thread', 'the post is deleted'],
  ...['this account is not a moderator of the thread', 'only a moderator of the thread may do that'],
  ...['the thread does not exist or was deleted', 'there is no such post in this thread', 'raced by another stream'],
  ...['only its author may edit a post'],
  ...['only its author or a moderator of the thread may delete a post'],
  ...['forged command', 'forged seal', 'seal of another value', 'seal again', 'id of another'],
  ...['redrive', 'discard', 'stray', 'parked', 'parked behind another', 'given up by a source'],
]

test('the same seed is the same story', async () => {
  const [history] = fc.sample(histories, { numRuns: 1, seed: 4711 }) as [History]
  const told = [newSeen(), newSeen()]
  const ends: unknown[] = []
  for (const seen of told) {
    const { topics, domains, replicas } = await simulate(history, seen)
    const records = domains.map(({ topic }) => topics.partitions(topic.name))
    ends.push([seen.counts, records, replicas.inserts])
  }
  expect(ends[0]).toEqual(ends[1])
  expect(told[0]?.counts.get('send')).toBeGreaterThan(0)
})
