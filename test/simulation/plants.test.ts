import fc from 'fast-check'
import { expect, test } from 'vitest'
import { textOf } from '#core/cloudevent.ts'
import { attempts, crashedRuns, heads, instances, letters, receipts } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import { bodyHash } from '#core/ids.ts'
import type { Store, StoredCollection, Write } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document, DocumentReader, Event } from '#domains/domain.ts'
import { SEALS, trusting } from '../trust.ts'
import { newCoverage } from './coverage.ts'
import { forumHistories, otherHistories } from './history.ts'
import { judge } from './judge.ts'
import { MOVES } from './purses.ts'
import { simulate } from './simulate.ts'
import type { Plant } from './system.ts'
import { Violation } from './violation.ts'

/** Bugs that this code could have, planted at its ports, and the invariants that the simulation must find broken. */
const PLANTS: { bug: string; breaks: Violation['invariant'][]; among?: typeof forumHistories; plant: Plant }[] = [
  {
    bug: 'persist skips the check of ids: it reads no receipt, and overwrites those that exist',
    breaks: ['once'],
    plant: {
      store: (store) => ({
        ...store,
        get: async (collection, ids) => (collection === receipts ? new Map() : await store.get(collection, ids)),
        commit: overwriting(store, receipts),
      }),
    },
  },
  {
    bug: 'persist acknowledges a delivery before its commit',
    breaks: ['outcome'],
    plant: {
      persist: ({ persist, close }) => ({
        async persist(event) {
          void persist(event)
          return { status: 204 }
        },
        close,
      }),
    },
  },
  {
    bug: 'persist writes heads without compare-and-set',
    // It loses a version, the order of letters, or that a stream is parked.
    breaks: ['fold', 'order', 'redriven'],
    plant: { store: (store) => ({ ...store, commit: overwriting(store, heads) }) },
  },
  {
    bug: 'persist writes the documents of views without compare-and-set',
    breaks: ['fold'],
    plant: { store: (store) => ({ ...store, commit: overwriting(store, MOVES.collection) }) },
  },
  {
    bug: 'the first redriven letter unparks its stream',
    breaks: ['order'],
    plant: {
      store: (store) => ({
        ...store,
        // Only the check for letters behind another one has the limit 2.
        find: async (collection, query) =>
          collection === letters && query.limit === 2 ? [] : await store.find(collection, query),
      }),
    },
  },
  {
    bug: 'persist counts outages as attempts',
    breaks: ['parked'],
    plant: {
      // The counting itself works as before.
      store: ({ commit, insert, ...store }) => ({
        ...store,
        commit: (writes) => (writes.some(isCounting) ? commit(writes) : blaming(commit)(writes)),
        insert: (collection, ...more) =>
          isCounting({ collection }) ? insert(collection, ...more) : blaming(insert)(collection, ...more),
      }),
    },
  },
  {
    bug: 'publish acknowledges a command that the log may not have',
    breaks: ['acknowledged'],
    plant: {
      append: (append) => (topic, record) =>
        append(topic, record).catch((error) => {
          if (error instanceof Unavailable && error.mayBeWritten) return { partition: 0, offset: 0 }
          throw error
        }),
    },
  },
  {
    bug: 'persist caches bans from everywhere',
    breaks: ['order'],
    among: forumHistories,
    plant: {
      store(store) {
        const kept = new Map<string, Document | undefined>()
        const get: Store['get'] = async (collection, ids) => {
          const found = await store.get(collection, ids)
          if (collection.name !== 'siteBans') return found
          for (const id of ids) if (!kept.has(id)) kept.set(id, found.get(id))
          return new Map(ids.flatMap((id) => [kept.get(id) ?? []].flat().map((ban) => [id, ban] as const)))
        }
        return { ...store, get }
      },
    },
  },
  {
    bug: 'a vote counts in addition to the one that it replaces',
    breaks: ['threads'],
    among: forumHistories,
    plant: {
      rules: (domain) =>
        domain.name !== 'forum' || domain.kind !== 'decide'
          ? domain
          : { ...domain, project: (event, documents) => domain.project(event, without('votes', event, documents)) },
    },
  },
  {
    bug: 'persist trusts a record without a seal',
    breaks: ['outcome', 'once', 'sealed'],
    plant: { trust: trusting },
  },
  {
    bug: 'persist trusts a seal of another value',
    breaks: ['outcome', 'once', 'fold', 'order'],
    plant: {
      persist: ({ persist, close }) => ({ persist: (event) => persist(resealed(event)), close }),
    },
  },
  {
    bug: 'query caches documents',
    breaks: ['reads'],
    plant: {
      reads(store) {
        const kept = new Map<string, Map<string, Document>>()
        const get: Store['get'] = async (collection, ids) => {
          const key = `${collection.name} ${ids}`
          const found = kept.get(key) ?? (await store.get(collection, ids))
          if (found.size > 0) kept.set(key, found)
          return found
        }
        return { ...store, get }
      },
    },
  },
]

/** The event with a seal of its own value, whatever value was sealed. */
function resealed(event: Delivery): Delivery {
  const opened = event.seal === undefined ? undefined : SEALS.open(String(event.seal))
  if (!opened?.ok) return event
  const { vouched } = opened
  return { ...event, seal: SEALS.seal({ ...vouched, value: bodyHash(vouched.type, textOf(event.data)) }) }
}

const without = (collection: string, { type }: Event, documents: DocumentReader): DocumentReader => ({
  get: (name, id) => (type === 'forum.vote-cast' && name === collection ? undefined : documents.get(name, id)),
})

/** A commit that overwrites the documents of this collection. */
const overwriting =
  ({ commit }: Store, { name }: StoredCollection): Store['commit'] =>
  (writes) =>
    commit(
      writes.map(
        ({ insert = [], swap = [], put = [], ...write }): Write =>
          write.collection.name === name
            ? { ...write, put: [...insert, ...swap, ...put] }
            : { insert, swap, put, ...write },
      ),
    )

const isCounting = ({ collection }: Pick<Write, 'collection'>): boolean =>
  [attempts.name, instances.name, crashedRuns.name].includes(collection.name)

/** The call, with outages turned into faults of its arguments. */
const blaming =
  <Parts extends unknown[], Result>(call: (...parts: Parts) => Promise<Result>) =>
  (...parts: Parts): Promise<Result> =>
    call(...parts).catch((error) => {
      throw error instanceof Unavailable ? new Error(error.message) : error
    })

const MAX_RUNS = 3000
/** The time for which a failing history is shrunk, so that people can read it. */
const SHRINKING_MS = 2000

test.each(PLANTS)('given the bug that $bug, a history shows it', async ({ breaks, among = otherHistories, plant }) => {
  let until = Number.POSITIVE_INFINITY
  const { errorInstance } = await fc.check(
    fc.asyncProperty(among, async (history) => {
      if (performance.now() > until) return
      try {
        judge(await simulate(history, newCoverage(), plant))
      } catch (error) {
        if (error instanceof Violation && !breaks.includes(error.invariant)) return
        until = Math.min(until, performance.now() + SHRINKING_MS)
        throw error
      }
    }),
    { numRuns: MAX_RUNS },
  )
  expect(errorInstance).toBeInstanceOf(Violation)
  expect(breaks).toContain((errorInstance as Violation).invariant)
})
