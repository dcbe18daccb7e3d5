import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import { collections } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import type { Store } from '#core/store.ts'
import type { AppendDomain } from '#domains/domain.ts'
import { manualClock } from '#test/clock.ts'
import { quiet } from '#test/telemetry.ts'
import { trusting } from '#test/trust.ts'
import { persister } from './persister.ts'

const domainOf = (name: string): AppendDomain => ({
  kind: 'append',
  name,
  topic: { name, partitions: 1 },
  commands: { [`${name}.add`]: { data: z.object({}), stream: (_, id) => id, routes: [] } },
  documents: { collection: { name, indexes: {} }, document: ({ time }) => ({ time }) },
  queries: [],
})
const domains = ['logs', 'forum'].map(domainOf)

const START = Date.parse('2026-01-01T00:00:00Z')
const SECONDS = 10
const EVERY_CALL_MS = 3
const EACH_DOCUMENT_MS = 1

/** The embedded store, which needs its time for each call and each document, one call after the other. */
function slow(store: Store, clock: ReturnType<typeof manualClock>): Store {
  let before: Promise<unknown> = Promise.resolve()
  function inTurn<Result>(documents: number, call: () => Promise<Result>): Promise<Result> {
    const done = before.then(() => clock.sleep(EVERY_CALL_MS + documents * EACH_DOCUMENT_MS)).then(call)
    before = done.catch(() => undefined)
    return done
  }
  return {
    ...store,
    get: (collection, ids) => inTurn(0, () => store.get(collection, ids)),
    insert: (collection, documents) => inTurn(documents.length, () => store.insert(collection, documents)),
    commit: (parts) =>
      inTurn(parts.flatMap(({ put = [], insert = [], swap = [] }) => [...put, ...insert, ...swap]).length, () =>
        store.commit(parts),
      ),
    remove: (collection, ids) => inTurn(ids.length, () => store.remove(collection, ids)),
  }
}

test('given a backlog of 16,000 log events after a crash, then the forum still has several commands a second', {
  timeout: 60_000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'backlog-'))
  const file = openFile(dir)
  const clock = manualClock(START)
  const fast = embeddedStore(file)
  await fast.prepare(collections(domains))
  const start = (store: Store) =>
    persister({
      ...quiet(),
      domains,
      store,
      clock,
      random: Math.random,
      instance: 'pod-1',
      maxInFlight: 10_000,
      trust: trusting,
    })
  const crashed = start(fast)
  await crashed.persist(event('forum', 0))
  const { persist } = start(slow(fast, clock))

  const done = { logs: 0, forum: 0 }
  const waits: number[] = []
  let sent = 0
  let isOver = false
  /** 600 deliveries in flight, as six consumers of a KafkaSource have. */
  const backlog = Array.from({ length: 600 }, async () => {
    while (sent < 16_000 && !isOver) {
      expect((await persist(event('logs', ++sent))).status).toBe(204)
      done.logs++
    }
  })
  async function people(): Promise<void> {
    while (!isOver) {
      const asked = clock.now()
      expect((await persist(event('forum', done.forum + 1))).status).toBe(204)
      waits.push(clock.now() - asked)
      done.forum++
    }
  }
  const forum = people()
  await clock.advance(SECONDS * 1000)
  const seen = { ...done }
  isOver = true
  await clock.advance(20_000)
  await Promise.all([forum, ...backlog])

  console.log(
    `in ${SECONDS} s ${seen.forum} commands, ${seen.logs} log events; the longest wait ${Math.max(...waits)} ms`,
  )
  expect(seen.forum / SECONDS).toBeGreaterThan(5)
  expect(Math.max(...waits)).toBeLessThan(500)
  expect(seen.logs / SECONDS).toBeGreaterThan(100)
  await fast.close()
  file.close()
  rmSync(dir, { recursive: true })
})

const event = (domain: string, number: number): Delivery => ({
  specversion: '1.0',
  id: `${domain}-${number}`,
  source: '/test',
  type: `${domain}.add`,
  time: new Date(START).toISOString(),
  knativekafkapartition: '0',
  knativekafkaoffset: String(number),
  data: {},
})
