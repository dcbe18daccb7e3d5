import { type CloudEvent, HTTP } from 'cloudevents'
import { describe, expect, test } from 'vitest'
import { type Received, receiver } from '#test/receiver.ts'
import {
  A,
  append,
  eventually,
  expectLag,
  log,
  namesOf,
  newTopic,
  opened,
  passing,
  receiving,
  starting,
} from '#test/sources.ts'

/** As any receiver would read it; throws when it is no valid CloudEvent. */
function eventOf({ headers, body }: Received): CloudEvent {
  const event = HTTP.toEvent({ headers, body: body.toString() }) as CloudEvent
  event.validate()
  return event
}

describe('the first record', () => {
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

describe('the request', () => {
  test('a record arrives at the sink as an event with its partition and offset', async () => {
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

  test.each([
    [
      'a plain record',
      { value: 'bare', headers: { 'X-Some_Header': 'a b' } },
      { kafkaheaderxsomeheader: 'a b', key: A },
    ],
    [
      'an event in binary mode',
      {
        value: '{"a":1}',
        headers: {
          ...{ ce_specversion: '1.0', ce_id: 'id-1', ce_source: '/source', ce_type: 'made' },
          'content-type': 'application/json',
        },
      },
      { id: 'id-1', data: { a: 1 } },
    ],
    [
      'an event in structured mode',
      {
        value: '{"specversion":"1.0","id":"id-2","source":"/source","type":"made","data":{"a":1}}',
        headers: { 'content-type': 'application/cloudevents+json' },
      },
      { id: 'id-2', data: { a: 1 } },
    ],
  ])('what arrives is a valid CloudEvent, and so is its dead letter: %s', async (_, record, expected) => {
    const topic = await newTopic()
    await log.append(topic, { key: A, ...record })
    const server = await receiving(() => 422)
    const letters = await receiving(() => 202)
    await starting(topic, server.url, { delivery: { deadLetterSink: letters.url } })
    await eventually(() => expect(letters.received).toHaveLength(1))
    const position = { knativekafkapartition: '0', knativekafkaoffset: '0' }
    expect(eventOf(server.received[0] as Received)).toMatchObject({ ...expected, ...position })
    const error = { knativeerrordest: server.url, knativeerrorcode: '422' }
    expect(eventOf(letters.received[0] as Received)).toMatchObject({ ...expected, ...position, ...error })
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
    '%s: neither the record nor a dead letter can be sent, so the record is lost, counted and logged',
    async (_, bad) => {
      const topic = await newTopic()
      await append(topic, A, 1, bad)
      await log.append(topic, { key: A, value: 'good' })
      const server = await receiving(() => 204)
      const { outcomes, logged, clock } = await starting(topic, server.url, {
        delivery: { retry: 5, deadLetterSink: server.url },
      })
      await eventually(() => expect(outcomes.toSorted()).toEqual(['delivered', 'lost']))
      expect(namesOf(server)).toEqual(['good'])
      expect(logged).toEqual(['error: a record can not be sent and is lost'])
      await clock.advance(5000)
      await expectLag(topic, 0)
    },
  )
})

describe('the response', () => {
  test('5xx: retried, and Retry-After is ignored', async () => {
    const topic = await newTopic()
    await append(topic, A, 1)
    const server = await receiving((_, __, index) =>
      index === 0 ? { status: 503, headers: { 'retry-after': '3600' } } : 204,
    )
    const { clock, outcomes, retries } = await starting(topic, server.url, {
      delivery: { retry: 1, backoffDelay: 'PT0.5S' },
    })
    await eventually(() => expect(clock.sleepers()).toBe(3))
    await clock.advance(999)
    expect(server.received).toHaveLength(1)
    await clock.advance(1)
    await eventually(() => expect(outcomes).toEqual(['delivered']))
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
    const { clock, outcomes } = await starting(topic, server.url, { delivery })
    await eventually(() => expect(server.waiting()).toBe(1))
    await clock.advance(59_999)
    expect(outcomes).toEqual([])
    await clock.advance(1)
    await passing(clock, () => expect(outcomes).toEqual(['delivered']))
    expect(server.received).toHaveLength(2)
  })

  test('422: to the dead-letter sink, with knativeerrordata of 1,024 bytes, and the offset is committed', async () => {
    const topic = await newTopic()
    const [name] = await append(topic, A, 1)
    const server = await receiving(() => ({ status: 422, body: 'ä'.repeat(1000) }))
    const letters = await receiving(() => 202)
    const { outcomes, logged, clock } = await starting(topic, server.url, {
      delivery: { retry: 1000, deadLetterSink: letters.url },
    })
    await eventually(() => expect(outcomes).toEqual(['refused']))
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
    expect(logged).toEqual(['debug: a record went to the dead-letter sink'])
    await clock.advance(5000)
    await expectLag(topic, 0)
  })

  test.each([
    ['there is no dead-letter sink', undefined],
    ['the dead-letter sink fails too', 500],
  ])('given that %s, then the offset is committed and the record is lost', async (_, status) => {
    const topic = await newTopic()
    await append(topic, A, 1)
    const server = await receiving(() => 422)
    const letters = await receiving(() => status ?? 202)
    const delivery = { retry: 2, backoffDelay: 'PT1S', ...(status ? { deadLetterSink: letters.url } : {}) }
    const { clock, outcomes, logged } = await starting(topic, server.url, { delivery })
    await passing(clock, () => expect(outcomes).toEqual(['lost']))
    expect(letters.received).toHaveLength(status ? 3 : 0)
    expect(logged).toEqual(['error: a record is lost: neither sink took it'])
    await clock.advance(5000)
    await expectLag(topic, 0)
  })
})
