import { HTTP } from 'cloudevents'
import { describe, expect, test } from 'vitest'
import type { LogRecord } from '#core/log.ts'
import { recordToRequest } from './record-to-request.ts'

const origin = { namespace: 'mill', name: 'tutorials', topic: 'tutorials-topic' }
const TIME = Date.UTC(2030, 0, 2, 3, 4, 5, 678)

type Given = { key?: string | Buffer | null; value?: string | null; headers?: Record<string, string> }

function recordOf({ key = null, value = 'data', headers = {} }: Given): LogRecord {
  return {
    partition: 2,
    offset: 41,
    time: TIME,
    key: key === null ? null : Buffer.from(key as string),
    value: value === null ? null : Buffer.from(value),
    headers: Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]),
  }
}

const posted = (given: Given) => {
  const { headers, body } = recordToRequest(recordOf(given), origin)
  return { headers, body: body === null ? null : body.toString() }
}

const ce = { ce_specversion: '1.0', ce_id: 'id-1', ce_source: '/source', ce_type: 'made' }
const everyRequest = { prefer: 'reply', 'kn-namespace': 'mill' }
const position = { 'ce-knativekafkapartition': '2', 'ce-knativekafkaoffset': '41' }
const wrapping = {
  ...everyRequest,
  ...position,
  'ce-specversion': '1.0',
  'ce-id': 'partition:2/offset:41',
  'ce-type': 'dev.knative.kafka.event',
  'ce-source': '/apis/v1/namespaces/mill/kafkasources/tutorials#tutorials-topic',
  'ce-subject': 'partition:2#41',
  'ce-time': '2030-01-02T03:04:05.678Z',
}

describe('a CloudEvent in binary mode', () => {
  test('keeps its attributes and gets partition and offset; the key and other headers are dropped', () => {
    const headers = { ...ce, ce_partitionkey: 'p', 'content-type': 'text/plain', 'X-Other': 'dropped' }
    expect(posted({ key: 'the key', headers })).toEqual({
      headers: {
        ...everyRequest,
        ...position,
        'ce-specversion': '1.0',
        'ce-id': 'id-1',
        'ce-source': '/source',
        'ce-type': 'made',
        'ce-partitionkey': 'p',
        'content-type': 'text/plain',
      },
      body: 'data',
    })
  })

  test('printable ASCII is unchanged, percent signs, quotes and spaces too', () => {
    const ce_subject = 'thread/4 "2" 100%25 %C3%A4'
    expect(posted({ headers: { ...ce, ce_subject } }).headers['ce-subject']).toBe(ce_subject)
  })

  test('nothing is percent-encoded: Latin-1 is unchanged, and every other UTF-16 unit becomes a question mark', () => {
    const headers = { ...ce, ce_subject: 'Äÿ\u0085 Ā€😀' }
    expect(posted({ headers }).headers['ce-subject']).toBe('Äÿ\u0085 ????')
  })

  test('a tab is the only control character that is sent', () => {
    expect(posted({ headers: { ...ce, ce_subject: 'a\tb' } }).headers['ce-subject']).toBe('a\tb')
  })

  test('ce_traceparent is unchanged', () => {
    const ce_traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(posted({ headers: { ...ce, ce_traceparent } }).headers['ce-traceparent']).toBe(ce_traceparent)
  })

  test('a key that is not UTF-8 does no harm, since it is dropped', () => {
    expect(posted({ key: Buffer.from([0xff]), headers: ce }).headers['ce-id']).toBe('id-1')
  })
})

describe('a CloudEvent in structured JSON', () => {
  const structured = (event: object) =>
    posted({ value: JSON.stringify(event), headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' } })
  const event = { specversion: '1.0', id: 'id-1', source: '/source', type: 'made' }

  test('is delivered in binary mode as the same event', () => {
    const { headers, body } = structured({
      ...event,
      subject: 'ä',
      sequence: 5,
      datacontenttype: 'application/json',
      data: { a: 1 },
    })
    expect(headers).toMatchObject({ ...everyRequest, ...position, 'ce-subject': 'ä', 'ce-sequence': '5' })
    expect(HTTP.toEvent({ headers, body })).toMatchObject({ ...event, sequence: '5', data: { a: 1 } })
  })

  test.each([
    ['JSON without a content type', { data: [1] }, 'application/json', '[1]'],
    ['a JSON string', { data: 'x', datacontenttype: 'application/json' }, 'application/json', '"x"'],
    ['text', { data: 'x', datacontenttype: 'text/plain' }, 'text/plain', 'x'],
    ['bytes', { data_base64: 'eMOk', datacontenttype: 'text/plain' }, 'text/plain', 'xä'],
    ['none', { data: null }, undefined, null],
  ])('its data: %s', (_, data, type, body) => {
    const request = structured({ ...event, ...data })
    expect(request.body).toBe(body)
    expect(request.headers['content-type']).toBe(type)
  })

  test.each([
    ['no object', '[1]'],
    ['broken', '{"specversion":'],
    ['without an id', JSON.stringify({ ...event, id: undefined })],
    ['with an attribute that is an object', JSON.stringify({ ...event, extension: {} })],
  ])('one that only says it is one is wrapped: %s', (_, value) => {
    const headers = { 'content-type': 'application/cloudevents+json' }
    expect(posted({ value, headers })).toEqual({ headers: { ...wrapping, ...headers }, body: value })
  })
})

describe('any other record is wrapped', () => {
  test('with key and partitionkey for a string key, kafkaheader<name> for each header, and its content type', () => {
    const request = posted({ key: 'Schlüssel', headers: { 'X-Some_Header': 'a b', 'Content-Type': 'text/plain' } })
    expect(request).toEqual({
      headers: {
        ...wrapping,
        'ce-key': 'Schlüssel',
        'ce-partitionkey': 'Schlüssel',
        'ce-kafkaheaderxsomeheader': 'a b',
        'content-type': 'text/plain',
      },
      body: 'data',
    })
    expect(() => HTTP.toEvent(request)).not.toThrow()
  })

  test('a record without key and headers', () => expect(posted({})).toEqual({ headers: wrapping, body: 'data' }))

  test('a record with ce_* headers without ce_id', () => {
    const { ce_id: _, ...headers } = ce
    expect(posted({ headers }).headers).toEqual({
      ...wrapping,
      'ce-kafkaheadercespecversion': '1.0',
      'ce-kafkaheadercesource': '/source',
      'ce-kafkaheadercetype': 'made',
    })
  })

  test.each([{ ce_specversion: '2.0' }, { 'ce_a-b': 'x' }])(
    'a record with ce_* headers that no CloudEvent has: %j',
    (headers) => {
      expect(posted({ headers: { ...ce, ...headers } }).headers['ce-type']).toBe('dev.knative.kafka.event')
    },
  )
})

test.each([
  ['a CloudEvent', { headers: ce }],
  ['a plain record', {}],
])('a tombstone is an event with an empty body: %s', (_, given) => {
  expect(posted({ ...given, value: null }).body).toBeNull()
})

describe('a record that no request can carry', () => {
  test.each([
    ['an attribute', { headers: { ...ce, ce_subject: 'two\nlines' } }],
    [
      'a structured attribute',
      {
        value: '{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"\\u0000"}',
        headers: { 'content-type': 'application/cloudevents+json' },
      },
    ],
    ['a header', { headers: { trace: 'bell\u0007' } }],
    ['a key', { key: 'delete\u007f' }],
  ])('a control character in %s', (_, given) => expect(() => posted(given)).toThrow('control character'))

  test('a key that is not valid UTF-8', () => {
    expect(() => posted({ key: Buffer.from([0x61, 0xff]) })).toThrow('not valid UTF-8')
  })
})

test('half a surrogate pair in a structured event is a question mark', () => {
  const value = '{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"\\ud83d"}'
  const request = posted({ value, headers: { 'content-type': 'application/cloudevents+json' } })
  expect(request.headers['ce-subject']).toBe('?')
})
