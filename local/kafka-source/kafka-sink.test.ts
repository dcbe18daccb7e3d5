import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type CloudEvent, Kafka, type KafkaMessage } from 'cloudevents'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedLog } from '#adapters/log/embedded.ts'
import type { Log, LogRecord } from '#core/log.ts'
import { Unavailable } from '#core/unavailable.ts'
import { quiet } from '#test/telemetry.ts'
import { kafkaSink } from './kafka-sink.ts'

const dir = mkdtempSync(join(tmpdir(), 'sink-'))
const file = openFile(dir)
const log = embeddedLog(file)
const append: Log['append'] = (topic, record) =>
  isAway ? Promise.reject(new Unavailable('log', 'away')) : log.append(topic, record)
const sink = kafkaSink({ append }, 'dead-letters', quiet())
let isAway = false
const server = createServer(async (req, res) => {
  await sink(Object.assign(req, { rawBody: await buffer(req) }), res)
})

beforeAll(async () => {
  await log.ensure([{ name: 'dead-letters', partitions: 3 }])
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterAll(async () => {
  server.close().closeAllConnections()
  await log.close()
  file.close()
  rmSync(dir, { recursive: true })
})

const post = (headers: Record<string, string>, body: string | null = null, method = 'POST') =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { method, headers, body })

async function records(): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  for await (const record of log.scan('dead-letters')) found.push(record)
  return found
}

const idOf = ({ headers }: LogRecord) => headers.find(([name]) => name === 'ce_id')?.[1].toString()

async function recordOf(id: string): Promise<LogRecord> {
  const found = (await records()).filter((record) => idOf(record) === id)
  expect(found).toHaveLength(1)
  return found[0] as LogRecord
}

/** As any other reader of the topic would read it; throws when it is no valid CloudEvent. */
function eventOf({ headers, value, key }: LogRecord) {
  const named = Object.fromEntries(headers.map(([name, text]) => [name, text.toString()]))
  const message: KafkaMessage = { headers: named, value: String(value), key: String(key), body: undefined }
  const event = Kafka.toEvent(message) as CloudEvent
  event.validate()
  return event
}

const binary = { 'ce-specversion': '1.0', 'ce-source': '/source', 'ce-type': 'made' }

test('given an event in binary mode, then it is answered 202 and is a valid CloudEvent on the topic, keyed by partitionkey', async () => {
  const extensions = { 'ce-partitionkey': 'thread/42', 'ce-knativeerrorcode': '422', 'ce-subject': '100%25 %C3%A4' }
  const answer = await post({ ...binary, ...extensions, 'ce-id': 'b-1', 'content-type': 'application/json' }, '{"a":1}')
  expect(answer.status).toBe(202)
  const record = await recordOf('b-1')
  expect(record.key?.toString()).toBe('thread/42')
  expect(eventOf(record)).toMatchObject({
    id: 'b-1',
    type: 'made',
    source: '/source',
    subject: '100%25 %C3%A4',
    knativeerrorcode: '422',
    datacontenttype: 'application/json',
    data: { a: 1 },
  })
})

test('given an event in structured mode, then its record is in binary mode', async () => {
  const event = { specversion: '1.0', id: 's-1', source: '/source', type: 'made', partitionkey: 'p', data: { a: 1 } }
  const answer = await post({ 'content-type': 'application/cloudevents+json' }, JSON.stringify(event))
  expect(answer.status).toBe(202)
  expect(eventOf(await recordOf('s-1'))).toMatchObject(event)
})

test('given data that contradicts its content type, then the record has it byte for byte: a letter may be broken', async () => {
  const answer = await post({ ...binary, 'ce-id': 'b-2', 'content-type': 'application/json' }, '{"a": 1.0,')
  expect(answer.status).toBe(202)
  expect((await recordOf('b-2')).value?.toString()).toBe('{"a": 1.0,')
})

test('given an event without data, then its record is a tombstone with headers', async () => {
  expect((await post({ ...binary, 'ce-id': 'b-3' })).status).toBe(202)
  expect(await recordOf('b-3')).toMatchObject({ key: null, value: null })
})

describe('a refused request leaves no record', () => {
  test.each([
    ['no CloudEvent', 400, { 'content-type': 'application/json' }, '{}', 'POST'],
    ['one without an id', 400, binary, 'x', 'POST'],
    ['a structured one that is broken', 400, { 'content-type': 'application/cloudevents+json' }, '{', 'POST'],
    ['a batch', 400, { 'content-type': 'application/cloudevents-batch+json' }, '[]', 'POST'],
    ['another method', 405, { ...binary, 'ce-id': 'x' }, null, 'GET'],
  ])('%s: %d', async (_, status, headers, body, method) => {
    const before = (await records()).length
    const answer = await post(headers as Record<string, string>, body, method)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect((await records()).length).toBe(before)
  })
})

test('given that the log is unavailable, then 503, so that the source retries', async () => {
  isAway = true
  const answer = await post({ ...binary, 'ce-id': 'b-4' }, 'x')
  isAway = false
  expect(answer.status).toBe(503)
})
