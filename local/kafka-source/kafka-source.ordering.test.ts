import { describe, expect, test } from 'vitest'
import { A, append, B, eventually, gate, namesOf, newTopic, passing, receiving, starting } from '#test/sources.ts'

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
    await passing(clock, () => expect(source.inFlight()).toBe(0))
    expect(namesOf(server).slice(-3)).toEqual(inA)
  })

  test('pacing real: a poll every 200 ms returns 50 records, each at its second poll', async () => {
    const topic = await newTopic()
    await append(topic, A, 60)
    await append(topic, B, 60)
    const server = await receiving(() => 204)
    const { clock, source } = await starting(topic, server.url, { ordering: 'ordered', pacing: 'real' })
    await eventually(() => expect(source.inFlight()).toBe(120))
    await clock.advance(399)
    expect(server.received).toHaveLength(0)
    for (const delivered of [50, 100, 120]) {
      await clock.advance(200)
      await eventually(() => expect(source.inFlight()).toBe(120 - delivered))
      expect(server.received).toHaveLength(delivered)
    }
  })
})

describe('unordered', () => {
  test('while a record waits for its retry, the others continue', async () => {
    const topic = await newTopic()
    const names = await append(topic, A, 300)
    const server = await receiving((name) => (name === names[0] ? 503 : 204))
    const { source, outcomes } = await starting(topic, server.url, { delivery: { retry: 1000, backoffDelay: 'PT1S' } })
    await eventually(() => expect(outcomes).toHaveLength(299))
    expect(source.inFlight()).toBe(1)
    expect(new Set(namesOf(server))).toEqual(new Set(names))
  })

  test('at most 100 records are in flight, over all partitions', async () => {
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

  test('a record that waits for a retry counts as in flight, so that an outage takes a bounded amount of memory', async () => {
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
    expect({ requests: server.received.length, inFlight: source.inFlight() }).toEqual({ requests: 100, inFlight: 100 })
    status = 204
    await passing(clock, () => expect(source.inFlight()).toBe(0))
    expect(server.received).toHaveLength(250)
  })

  test('consumers: each has its share of the partitions and its own limit of records in flight', async () => {
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
