import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { manualClock } from '#test/clock.ts'
import { type Received, type Receiver, type Reply, receiver } from '#test/receiver.ts'
import { openFile } from '../embedded/file.ts'
import { embeddedLog } from '../log/embedded.ts'
import type { NewRecord } from '../log/log.ts'
import { partitionOf } from '../log/partition.ts'
import type { Fate } from './deliver.ts'
import { type SourceParts, type SourceSpec, startSource } from './source.ts'

const dir = mkdtempSync(join(tmpdir(), 'source-'))
const file = openFile(dir)
const log = embeddedLog(file)
const opened: { close(): unknown }[] = []
let topics = 0

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

afterAll(async () => {
  await log.close()
  file.close()
  rmSync(dir, { recursive: true })
})

const PARTITIONS = 2
const [A, B] = [0, 1].map((wanted) => ['a', 'b', 'c', 'd'].find((key) => partitionOf(key, PARTITIONS) === wanted)) as [
  string,
  string,
]

async function newTopic(): Promise<string> {
  const topic = `topic-${++topics}`
  await log.ensure([{ name: topic, partitions: PARTITIONS }])
  return topic
}

/** Records named by key and number, such as a0, a1: what they say is what the tests look at. */
async function append(topic: string, key: string, count: number, more: Partial<NewRecord> = {}): Promise<string[]> {
  const names = Array.from({ length: count }, (_, n) => `${key}${n}`)
  await Promise.all(names.map((name) => log.append(topic, { key, value: name, ...more })))
  return names
}

async function receiving(
  reply: (name: string, received: Received, index: number) => number | Reply | Promise<Reply>,
): Promise<Receiver> {
  const server = await receiver(async (received, index) => {
    const answer = await reply(received.body.toString(), received, index)
    return typeof answer === 'number' ? { status: answer } : answer
  })
  opened.push(server)
  return server
}

/** Answers are kept back until they are let go. */
function gate() {
  const held = new Map<string, (reply: Reply) => void>()
  return {
    hold: (name: string) => new Promise<Reply>((resolve) => held.set(name, resolve)),
    held: () => [...held.keys()],
    release(name: string, status = 204) {
      held.get(name)?.({ status })
      held.delete(name)
    },
    releaseAll() {
      for (const name of [...held.keys()]) this.release(name)
    },
  }
}

async function starting(topic: string, sink: string, more: Partial<SourceSpec> = {}, parts: Partial<SourceParts> = {}) {
  const clock = manualClock()
  const fates: Fate[] = []
  const logged: string[] = []
  let retries = 0
  const spec: SourceSpec = {
    name: 'source',
    namespace: 'mill',
    topic,
    group: `group-${topic}`,
    ordering: 'unordered',
    initialOffset: 'earliest',
    sink,
    ...more,
  }
  const source = await startSource(spec, {
    log,
    clock,
    logger: {
      warn: (_, message) => logged.push(`warn: ${message}`),
      error: (_, message) => logged.push(`error: ${message}`),
    },
    onFate: (fate) => void fates.push(fate),
    onRetry: () => void retries++,
    ...parts,
  })
  opened.unshift(source)
  return { source, clock, fates, logged, retries: () => retries }
}

const namesOf = ({ received }: Receiver) => received.map(({ body }) => body.toString())
const eventually = <T>(look: () => T | Promise<T>) => vi.waitFor(look, { timeout: 5000, interval: 2 })
const lagOf = async (topic: string) =>
  [...(await log.lag(topic, `group-${topic}`)).values()].reduce((sum, lag) => sum + lag, 0)
const expectLag = (topic: string, lag: number) => eventually(async () => expect(await lagOf(topic)).toBe(lag))

/** Lets time pass in small steps, slower than answers come, until it is so. */
async function passing(clock: { advance(ms: number): Promise<void> }, look: () => void): Promise<void> {
  await eventually(async () => {
    await clock.advance(100)
    look()
  })
}

describe('where it begins', () => {
  test('initialOffset latest: skips what is already in the topic; earliest does not', async () => {
    const topic = await newTopic()
    await append(topic, A, 2)
    const server = await receiving(() => 204)
    await starting(topic, `${server.url}latest`, { group: 'late', initialOffset: 'latest' })
    await log.append(topic, { key: A, value: 'new' })
    await eventually(() => expect(namesOf(server)).toEqual(['new']))
    await starting(topic, server.url)
    await eventually(() => expect(namesOf(server).slice(1).sort()).toEqual([`${A}0`, `${A}1`, 'new']))
  })
})

describe('what it sends', () => {
  test('a record comes to the sink as an event with its place in the log', async () => {
    const topic = await newTopic()
    await log.append(topic, { key: A, value: 'bare', headers: { 'content-type': 'text/plain' } })
    const server = await receiving(() => 204)
    await starting(topic, server.url)
    await eventually(() => expect(server.received).toHaveLength(1))
    expect(server.received[0]?.headers).toMatchObject({
      'ce-type': 'dev.knative.kafka.event',
      'ce-source': `/apis/v1/namespaces/mill/kafkasources/source#${topic}`,
      'ce-key': A,
      'ce-knativekafkapartition': '0',
      'ce-knativekafkaoffset': '0',
      'kn-namespace': 'mill',
      prefer: 'reply',
    })
  })

  test('a tombstone is an event with an empty body', async () => {
    const topic = await newTopic()
    await log.append(topic, { key: A, value: null })
    const server = await receiving(() => 204)
    await starting(topic, server.url)
    await eventually(() => expect(namesOf(server)).toEqual(['']))
  })

  test.each([
    ['a header with a control character', { headers: { bad: 'bell\u0007' } }],
    ['a key that is not valid UTF-8', { key: Buffer.from([0xff]) }],
  ])(
    '%s: can not be sent, the dead letter neither: the record is lost, which is counted and logged',
    async (_, bad) => {
      const topic = await newTopic()
      await append(topic, A, 1, bad)
      await log.append(topic, { key: A, value: 'good' })
      const server = await receiving(() => 204)
      const { fates, logged, clock } = await starting(topic, server.url, {
        delivery: { retry: 5, deadLetterSink: server.url },
      })
      await eventually(() => expect(fates.toSorted()).toEqual(['delivered', 'lost']))
      expect(namesOf(server)).toEqual(['good'])
      expect(logged).toEqual(['error: a record can not be sent and is lost'])
      await clock.advance(5000)
      await expectLag(topic, 0)
    },
  )
})

describe('ordered', () => {
  test('one request at a time for each partition, in order', async () => {
    const topic = await newTopic()
    const [inA, inB] = [await append(topic, A, 3), await append(topic, B, 3)]
    const answers = gate()
    const server = await receiving(answers.hold)
    await starting(topic, server.url, { ordering: 'ordered' })
    for (let n = 0; n < 3; n++) {
      await eventually(() => expect(answers.held().sort()).toEqual([inA[n], inB[n]].sort()))
      expect(server.waiting()).toBe(2)
      answers.releaseAll()
    }
    await eventually(() => expect(namesOf(server)).toHaveLength(6))
  })

  test('a retry blocks its own partition only', async () => {
    const topic = await newTopic()
    const [inA, inB] = [await append(topic, A, 3), await append(topic, B, 3)]
    let isBroken = true
    const server = await receiving((name) => (name === inA[0] && isBroken ? 503 : 204))
    const delivery = { retry: 1000, backoffPolicy: 'linear', backoffDelay: 'PT1S' } as const
    const { clock, source } = await starting(topic, server.url, { ordering: 'ordered', delivery })
    await eventually(() => expect(namesOf(server).sort()).toEqual([inA[0], ...inB].sort()))
    await passing(clock, () => expect(namesOf(server).filter((name) => name === inA[0]).length).toBeGreaterThan(3))
    expect(namesOf(server)).not.toContain(inA[1])
    isBroken = false
    await passing(clock, () => expect(source.underWay()).toBe(0))
    expect(namesOf(server).slice(-3)).toEqual(inA)
  })

  test('pacing real: a poll every 200 ms brings 50 records, which come at the second poll', async () => {
    const topic = await newTopic()
    await append(topic, A, 60)
    await append(topic, B, 60)
    const server = await receiving(() => 204)
    const { clock, source } = await starting(topic, server.url, { ordering: 'ordered', pacing: 'real' })
    await eventually(() => expect(source.underWay()).toBe(120))
    await clock.advance(399)
    expect(server.received).toHaveLength(0)
    for (const delivered of [50, 100, 120]) {
      await clock.advance(200)
      await eventually(() => expect(source.underWay()).toBe(120 - delivered))
      expect(server.received).toHaveLength(delivered)
    }
  })
})

describe('unordered', () => {
  test('while one waits for its retry the others go on', async () => {
    const topic = await newTopic()
    const names = await append(topic, A, 300)
    const server = await receiving((name) => (name === names[0] ? 503 : 204))
    const { source, fates } = await starting(topic, server.url, { delivery: { retry: 1000, backoffDelay: 'PT1S' } })
    await eventually(() => expect(fates).toHaveLength(299))
    expect(source.underWay()).toBe(1)
    expect(new Set(namesOf(server))).toEqual(new Set(names))
  })

  test('100 in flight at most, over all partitions', async () => {
    const topic = await newTopic()
    await append(topic, A, 90)
    await append(topic, B, 90)
    const answers = gate()
    const server = await receiving((_, __, index) => answers.hold(String(index)))
    await starting(topic, server.url)
    await eventually(() => expect(server.waiting()).toBe(100))
    answers.release('0')
    answers.release('1')
    await eventually(() => expect(server.received).toHaveLength(102))
    expect(server.waiting()).toBe(100)
    await passing({ advance: async () => answers.releaseAll() }, () => expect(server.received).toHaveLength(180))
    answers.releaseAll()
  })

  test('one that waits for a retry counts as in flight, so that an outage takes a bounded amount of memory', async () => {
    const topic = await newTopic()
    await append(topic, A, 150)
    let status = 503
    const server = await receiving(() => status)
    const { clock, source } = await starting(topic, server.url, {
      delivery: { retry: 1000, backoffPolicy: 'linear', backoffDelay: 'PT1S' },
    })
    const commits = 1
    const deadline = 1
    await eventually(() => expect(clock.sleepers()).toBe(100 + commits + deadline))
    expect({ requests: server.received.length, underWay: source.underWay() }).toEqual({ requests: 100, underWay: 100 })
    status = 204
    await passing(clock, () => expect(source.underWay()).toBe(0))
    expect(server.received).toHaveLength(250)
  })

  test('consumers: each has its share of the partitions and room of its own', async () => {
    const topic = await newTopic()
    await append(topic, A, 20)
    await append(topic, B, 20)
    const answers = gate()
    const server = await receiving(answers.hold)
    await starting(topic, server.url, { consumers: 2, maxInFlight: 5 })
    await eventually(() => expect(server.waiting()).toBe(10))
    expect(answers.held().filter((name) => name.startsWith(A))).toHaveLength(5)
    await passing({ advance: async () => answers.releaseAll() }, () => expect(server.received).toHaveLength(40))
    answers.releaseAll()
  })
})

describe('what it does with the answer', () => {
  test('5xx: retried, and Retry-After is ignored', async () => {
    const topic = await newTopic()
    await append(topic, A, 1)
    const server = await receiving((_, __, index) =>
      index === 0 ? { status: 503, headers: { 'retry-after': '3600' } } : 204,
    )
    const { clock, fates, retries } = await starting(topic, server.url, {
      delivery: { retry: 1, backoffDelay: 'PT0.5S' },
    })
    await eventually(() => expect(clock.sleepers()).toBe(3))
    await clock.advance(999)
    expect(server.received).toHaveLength(1)
    await clock.advance(1)
    await eventually(() => expect(fates).toEqual(['delivered']))
    expect(retries()).toBe(1)
  })

  test('no connection: retried', async () => {
    const topic = await newTopic()
    const [name] = await append(topic, A, 1)
    const gone = await receiver(() => ({ status: 204 }))
    gone.close()
    const { clock, retries } = await starting(topic, gone.url, {
      delivery: { retry: 1000, backoffPolicy: 'linear', backoffDelay: 'PT1S' },
    })
    await passing(clock, () => expect(retries()).toBe(2))
    const server = await receiver(() => ({ status: 204 }), Number(new URL(gone.url).port))
    opened.push(server)
    await passing(clock, () => expect(namesOf(server)).toEqual([name]))
  })

  test('`timeout` counts as a failure and is retried', async () => {
    const topic = await newTopic()
    await append(topic, A, 1)
    const server = await receiving((_, __, index) => (index === 0 ? new Promise(() => {}) : 204))
    const delivery = { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT1S', timeout: 'PT60S' } as const
    const { clock, fates } = await starting(topic, server.url, { delivery })
    await eventually(() => expect(server.waiting()).toBe(1))
    await clock.advance(59_999)
    expect(fates).toEqual([])
    await clock.advance(1)
    await passing(clock, () => expect(fates).toEqual(['delivered']))
    expect(server.received).toHaveLength(2)
  })

  test('422: to the dead-letter sink, with knativeerrordata of 1,024 bytes, and the offset is committed', async () => {
    const topic = await newTopic()
    const [name] = await append(topic, A, 1)
    const server = await receiving(() => ({ status: 422, body: 'ä'.repeat(1000) }))
    const letters = await receiving(() => 202)
    const { fates, logged, clock } = await starting(topic, server.url, {
      delivery: { retry: 1000, deadLetterSink: letters.url },
    })
    await eventually(() => expect(fates).toEqual(['dead letter']))
    expect(namesOf(server)).toEqual([name])
    expect(namesOf(letters)).toEqual([name])
    const { headers } = letters.received[0] as Received
    expect(headers).toMatchObject({
      ...server.received[0]?.headers,
      host: headers.host,
      'ce-knativeerrordest': server.url,
      'ce-knativeerrorcode': '422',
    })
    expect(Buffer.from(String(headers['ce-knativeerrordata']), 'base64').toString()).toBe('ä'.repeat(512))
    expect(logged).toEqual(['warn: a record went to the dead-letter sink'])
    await clock.advance(5000)
    await expectLag(topic, 0)
  })

  test.each([
    ['there is no dead-letter sink', undefined],
    ['the dead-letter sink fails too', 500],
  ])('given that %s, then the offset is committed and the record is gone', async (_, status) => {
    const topic = await newTopic()
    await append(topic, A, 1)
    const server = await receiving(() => 422)
    const letters = await receiving(() => status ?? 202)
    const delivery = { retry: 2, backoffDelay: 'PT1S', ...(status ? { deadLetterSink: letters.url } : {}) }
    const { clock, fates, logged } = await starting(topic, server.url, { delivery })
    await passing(clock, () => expect(fates).toEqual(['lost']))
    expect(letters.received).toHaveLength(status ? 3 : 0)
    expect(logged).toEqual(['error: a record is lost: neither sink took it'])
    await clock.advance(5000)
    await expectLag(topic, 0)
  })
})

describe('commits', () => {
  test('every 5 s, behind delivery: what came since is delivered again after a crash', async () => {
    const topic = await newTopic()
    await append(topic, A, 10)
    const server = await receiving(() => 204)
    const { clock, fates } = await starting(topic, server.url)
    await eventually(() => expect(fates).toHaveLength(10))
    await clock.advance(4999)
    expect(await lagOf(topic)).toBe(10)
    await clock.advance(1)
    await expectLag(topic, 0)
    await append(topic, B, 5)
    await eventually(() => expect(fates).toHaveLength(15))
    const afterCrash = await receiving(() => 204)
    await starting(topic, afterCrash.url)
    await eventually(() => expect(namesOf(afterCrash).sort()).toEqual(namesOf(server).slice(10).sort()))
  })

  test('only what has nothing unfinished before it', async () => {
    const topic = await newTopic()
    const names = await append(topic, A, 10)
    const answers = gate()
    const server = await receiving((name) => (name === names[4] ? answers.hold(name) : 204))
    const { clock, fates } = await starting(topic, server.url)
    await eventually(() => expect(fates).toHaveLength(9))
    await clock.advance(5000)
    await expectLag(topic, 6)
    answers.releaseAll()
    await eventually(() => expect(fates).toHaveLength(10))
    await clock.advance(5000)
    await expectLag(topic, 0)
  })

  test('given a commit that failed, then the next one makes up for it', async () => {
    const topic = await newTopic()
    await append(topic, A, 3)
    const server = await receiving(() => 204)
    let failures = 0
    const failingOnce: SourceParts['log'] = {
      async consume(options, take) {
        const consumer = await log.consume(options, take)
        const commit = async (partition: number, offset: number) => {
          if (failures++ === 0) throw new Error('the broker is away')
          await consumer.commit(partition, offset)
        }
        return { ...consumer, commit }
      },
    }
    const { clock, fates, logged } = await starting(topic, server.url, {}, { log: failingOnce })
    await eventually(() => expect(fates).toHaveLength(3))
    await clock.advance(5000)
    expect(logged).toEqual(['warn: not committed'])
    await clock.advance(5000)
    await expectLag(topic, 0)
  })

  test('attempts are counted in memory: a restart starts the count again', async () => {
    const topic = await newTopic()
    await append(topic, A, 1)
    const server = await receiving(() => 500)
    const delivery = { retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT1S' } as const
    const first = await starting(topic, server.url, { delivery })
    await passing(first.clock, () => expect(server.received).toHaveLength(3))
    await first.source.close()
    expect(first.fates).toEqual(['stopped'])
    const second = await starting(topic, server.url, { delivery })
    await passing(second.clock, () => expect(second.fates).toEqual(['lost']))
    expect(server.received).toHaveLength(3 + 4)
  })
})

describe('closing', () => {
  test('takes nothing more, lets requests under way end, commits', async () => {
    const topic = await newTopic()
    await append(topic, A, 3)
    const answers = gate()
    const server = await receiving(answers.hold)
    const { source } = await starting(topic, server.url, { ordering: 'ordered' })
    await eventually(() => expect(server.waiting()).toBe(1))
    const closed = source.close()
    answers.releaseAll()
    await closed
    expect(server.received).toHaveLength(1)
    await expectLag(topic, 2)
  })

  test('given an answer that never comes, then it is broken off after 10 s and delivered again by the next', async () => {
    const topic = await newTopic()
    const names = await append(topic, A, 150)
    let isSilent = true
    const server = await receiving(() => (isSilent ? new Promise<Reply>(() => {}) : 204))
    const { source, clock, fates } = await starting(topic, server.url, { delivery: { retry: 1000 } })
    await eventually(() => expect(server.waiting()).toBe(100))
    const closed = source.close()
    await clock.advance(10_000)
    await closed
    expect(new Set(fates)).toEqual(new Set(['stopped']))
    expect(clock.sleepers()).toBe(0)
    isSilent = false
    await starting(topic, server.url)
    await eventually(() => expect(namesOf(server).slice(100).sort()).toEqual(names.toSorted()))
  })
})
