import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { openFile } from '#adapters/embedded/file.ts'
import { startHost } from '#adapters/host/host.ts'
import { embeddedLog } from '#adapters/log/embedded.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import { collections } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import { sourceOf, topics } from '#core/kafka-source-policy.ts'
import { commandTypes } from '#core/registry.ts'
import type { Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Domain, Fields } from '#domains/domain.ts'
import { type Persister, persister } from '#functions/persist/persister.ts'
import { toRecord } from '#functions/publish/record.ts'
import { policyOf } from '#local/kafka-source/policy.ts'
import { type Poster, poster } from '#local/kafka-source/post.ts'
import { startSource } from '#local/kafka-source/source.ts'
import { DEAD_LETTERS_PATH, deadLetterSink } from '#local/sources.ts'
import { manualClock } from './clock.ts'
import { eventually } from './mill.ts'
import { quiet } from './telemetry.ts'
import { SEALS, wary } from './trust.ts'

const ACTOR = 'anonymous'

/**
 * `leaving`: what is written is written, but whoever wrote it is told that the store is away. `tottering`: reads and counts come
 * through, so that an attempt could be counted, and nothing else does.
 */
export type Reach = 'here' | 'leaving' | 'tottering' | 'away'

export type TimedMill = Awaited<ReturnType<typeof startTimedMill>>

/**
 * From the log to the store in hours that take seconds: the embedded pair, each domain's source with its KafkaSource's own
 * delivery, HTTP, the host and persist, all by a clock that the test moves. Only the store's breaker, which has a clock of its own,
 * is left out.
 */
export async function startTimedMill(domains: Domain[]) {
  const dir = mkdtempSync(join(tmpdir(), 'timed-mill-'))
  const file = openFile(dir)
  const [log, store, clock] = [embeddedLog(file), embeddedStore(file), manualClock()]
  const types = commandTypes(domains)
  const answers: { id: string; status: number; began: number }[] = []
  let reach: Reach = 'here'
  const posts = { sent: 0, received: 0 }

  const within = <Args extends unknown[], Result>(reaches: Reach[], call: (...args: Args) => Promise<Result>) =>
    async function atRisk(...args: Args): Promise<Result> {
      const isReached = reaches.includes(reach)
      const result = isReached || reach === 'leaving' ? await call(...args) : undefined
      if (!isReached) throw new Unavailable('store', 'away')
      return result as Result
    }
  const atRisk: Store = {
    ...store,
    get: within(['here', 'leaving', 'tottering'], store.get),
    find: within(['here', 'leaving', 'tottering'], store.find),
    insert: within(['here'], store.insert),
    commit: within(['here'], store.commit),
    remove: within(['here'], store.remove),
  }

  await Promise.all([log.ensure(topics(domains)), store.prepare(collections(domains))])
  const { persist, close } = persister({
    ...quiet(),
    domains,
    store: atRisk,
    clock,
    random: Math.random,
    instance: 'pod-1',
    maxInFlight: 10_000,
    trust: wary,
  })
  const host = await startHost({
    telemetry: quiet(),
    port: 0,
    address: '127.0.0.1',
    maxBodyBytes: 1_048_576,
    checks: {},
    mounts: [
      { kind: 'cloudevent', name: 'persist', path: '/persist', serve: counted(persist) },
      deadLetterSink(log, quiet()),
    ],
  })
  const self = `http://127.0.0.1:${host.port}`
  const specs = domains.map((domain) =>
    sourceOf(domain, { persist: `${self}/persist`, deadLetters: self + DEAD_LETTERS_PATH }),
  )
  const sources = await Promise.all(
    specs.map((spec) =>
      startSource(spec, { ...quiet(), log, clock, poster: noting(poster(clock, policyOf(spec.delivery))) }),
    ),
  )

  function counted(persist: Persister['persist']): Persister['persist'] {
    return async (event: Delivery) => {
      posts.received++
      const began = clock.now()
      const outcome = await persist(event)
      posts.received--
      answers.push({ id: event.id, status: outcome.status, began })
      return outcome
    }
  }

  function noting({ post, close }: Poster): Poster {
    return {
      close,
      async post(url, posting) {
        posts.sent++
        const answer = await post(url, posting)
        posts.sent--
        return answer
      },
    }
  }

  /** Until nothing is on its way between source and persist: all that was posted is with persist and waits for the clock. */
  async function settled(): Promise<void> {
    for (let quiet = 0; quiet < 10; quiet++) {
      await setImmediate()
      if (posts.sent !== posts.received) quiet = 0
    }
  }

  return {
    log,
    store,
    clock,
    /** Every answer of persist, and when its delivery came. */
    answers,
    reach(now: Reach) {
      reach = now
    },
    /** Appends a command as publish does. */
    async publish(type: string, id: string, data: Fields): Promise<void> {
      const known = types.get(type)
      if (!known) throw new Error(`there is no command ${type}`)
      const { topic } = known.domain
      const stream = known.command.stream(data, id, 'anonymous')
      const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
      const command = { id, type, stream, time: clock.now(), actor: ACTOR, traceparent, data }
      await log.append(topic.name, toRecord(command, topic, SEALS).record)
    },
    /** Lets time pass, a step at a time, each until everybody waits again; with 0 only that. */
    async pass(seconds: number, stepMs = 1000): Promise<void> {
      for (const until = clock.now() + seconds * 1000; clock.now() < until; ) {
        await settled()
        await clock.advance(stepMs)
      }
      await settled()
    },
    /** The log writes down its commits a moment after they are made. */
    lagIs: (wanted: number) =>
      eventually(async () => {
        const lags = await Promise.all(specs.map(({ topic, group }) => log.lag(topic, group)))
        const lag = lags.flatMap((lag) => [...lag.values()]).reduce((sum, records) => sum + records, 0)
        if (lag !== wanted) throw new Error(`the lag is ${lag}, not ${wanted}`)
      }),
    /** What is held and what pauses comes to its end, since time goes on. */
    async stop(): Promise<void> {
      reach = 'here'
      let isOver = false
      const over = Promise.all(sources.map((source) => source.close())).then(close)
      void over.finally(() => (isOver = true))
      while (!isOver) await clock.advance(1000)
      await over
      await host.close()
      await log.close()
      await store.close()
      file.close()
      rmSync(dir, { recursive: true })
    },
  }
}
