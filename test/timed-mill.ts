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
import { toRecord } from '#functions/publish/accepted-command.ts'
import { type HttpClient, httpClient } from '#local/kafka-source/http-client.ts'
import { startKafkaSource } from '#local/kafka-source/kafka-source.ts'
import { toRetryPolicy } from '#local/kafka-source/retry-policy.ts'
import { DEAD_LETTERS_PATH, deadLetterSink } from '#local/kafka-sources.ts'
import { manualClock } from './clock.ts'
import { eventually } from './mill.ts'
import { quiet } from './telemetry.ts'
import { SEALS, wary } from './trust.ts'

const ACTOR = 'anonymous'

/**
 * The state of the store. `ambiguous`: writes succeed, but their callers get an outage. `reads only`: only reads succeed, so that a
 * wrong count of attempts would show.
 */
export type StoreState = 'available' | 'ambiguous' | 'reads only' | 'unavailable'

export type TimedMill = Awaited<ReturnType<typeof startTimedMill>>

/**
 * A Millrace from the log to the store on a manual clock: the embedded pair, the source of each domain with the delivery of its
 * KafkaSource, HTTP, the host and persist. Hours take seconds. The store's circuit breaker is left out, since it has its own
 * clock.
 */
export async function startTimedMill(domains: Domain[]) {
  const dir = mkdtempSync(join(tmpdir(), 'timed-mill-'))
  const file = openFile(dir)
  const [log, store, clock] = [embeddedLog(file), embeddedStore(file), manualClock()]
  const types = commandTypes(domains)
  const answers: { id: string; status: number; began: number }[] = []
  let state: StoreState = 'available'
  const posts = { sent: 0, received: 0 }

  const within = <Args extends unknown[], Result>(states: StoreState[], call: (...args: Args) => Promise<Result>) =>
    async function withOutages(...args: Args): Promise<Result> {
      const isReached = states.includes(state)
      const result = isReached || state === 'ambiguous' ? await call(...args) : undefined
      if (!isReached) throw new Unavailable('store', 'away')
      return result as Result
    }
  const withOutages: Store = {
    ...store,
    get: within(['available', 'ambiguous', 'reads only'], store.get),
    find: within(['available', 'ambiguous', 'reads only'], store.find),
    insert: within(['available'], store.insert),
    commit: within(['available'], store.commit),
    remove: within(['available'], store.remove),
  }

  await Promise.all([log.ensure(topics(domains)), store.prepare(collections(domains))])
  const { persist, close } = persister({
    ...quiet(),
    domains,
    store: withOutages,
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
      startKafkaSource(spec, {
        ...quiet(),
        log,
        clock,
        httpClient: noting(httpClient(clock, toRetryPolicy(spec.delivery))),
      }),
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

  function noting({ post, close }: HttpClient): HttpClient {
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

  /** Waits until persist has received everything that the sources have posted, and waits for the clock. */
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
    /** The responses of persist, each with the time of its delivery. */
    answers,
    setStore(now: StoreState) {
      state = now
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
    /** Advances the time in steps, and waits after each until everything waits for the clock again. */
    async pass(seconds: number, stepMs = 1000): Promise<void> {
      for (const until = clock.now() + seconds * 1000; clock.now() < until; ) {
        await settled()
        await clock.advance(stepMs)
      }
      await settled()
    },
    /** Waits for this lag, since the log stores its commits with a delay. */
    lagIs: (wanted: number) =>
      eventually(async () => {
        const lags = await Promise.all(specs.map(({ topic, group }) => log.lag(topic, group)))
        const lag = lags.flatMap((lag) => [...lag.values()]).reduce((sum, records) => sum + records, 0)
        if (lag !== wanted) throw new Error(`the lag is ${lag}, not ${wanted}`)
      }),
    /** Stops everything. Advances the time meanwhile, so that retries and pauses end. */
    async stop(): Promise<void> {
      state = 'available'
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
