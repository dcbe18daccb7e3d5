import { describe, expect, test } from 'vitest'
import { decodeAttributes, oversizedDelivery, toDelivery } from './cloudevent.ts'
import { MALFORMED, PLAIN } from './delivery.ts'

const binary = (more: Record<string, string> = {}) => ({
  'ce-specversion': '1.0',
  'ce-id': 'id-1',
  'ce-source': '/test',
  'ce-type': 'things.make',
  ...more,
})

const structured = (event: unknown) =>
  toDelivery({ 'content-type': 'application/cloudevents+json; charset=utf-8' }, Buffer.from(JSON.stringify(event)))

const attributes = { specversion: '1.0', id: 'id-1', source: '/test', type: 'things.make' }

test('binary mode: attributes from headers, data by its content type', () => {
  const read = (type: string, body: string) => toDelivery(binary({ 'content-type': type }), Buffer.from(body))
  expect(read('application/json; charset=utf-8', '{"a":1}')).toEqual({
    ...attributes,
    datacontenttype: 'application/json; charset=utf-8',
    data: { a: 1 },
  })
  expect(read('application/vnd.thing+json', '[1]').data).toEqual([1])
  expect(read('text/plain', 'Über').data).toBe('Über')
  expect(read('application/octet-stream', '{').data).toEqual(Buffer.from('{'))
  expect(toDelivery(binary(), Buffer.from('x')).data).toEqual(Buffer.from('x'))
})

test('an empty body is an event without data', () => {
  expect(toDelivery(binary({ 'content-type': 'application/json' }), Buffer.alloc(0))).not.toHaveProperty('data')
})

test.each([
  ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
  ['100%25', '100%'],
  ['100% never encoded', '100% never encoded'],
  ['"quoted \\"so\\" %41"', 'quoted "so" A'],
  ['%2541', '%41'],
])('the header value %s is the attribute %s', (header, value) => {
  expect(toDelivery(binary({ 'ce-subject': header }), Buffer.alloc(0)).subject).toBe(value)
})

test('structured mode: attributes are strings, null is no attribute, and data is unchanged or decoded from base64', () => {
  expect(structured({ ...attributes, knativekafkaoffset: 7, subject: null, data: { a: 1 } })).toEqual({
    ...attributes,
    knativekafkaoffset: '7',
    data: { a: 1 },
  })
  const base64 = (datacontenttype: string, text: string) =>
    structured({ ...attributes, datacontenttype, data_base64: Buffer.from(text).toString('base64') }).data
  expect(base64('text/plain', 'Über')).toBe('Über')
  expect(base64('application/json', '{"a":1}')).toEqual({ a: 1 })
  expect(base64('application/octet-stream', 'x')).toEqual(Buffer.from('x'))
})

const JSON_TYPE = { 'content-type': 'application/json' }
test.each([
  ['a request without attributes', toDelivery(JSON_TYPE, Buffer.from('{}')), 'no specversion, id, source, type'],
  ['an empty id', toDelivery(binary({ 'ce-id': '' }), Buffer.alloc(0)), 'no id'],
  ['another version', toDelivery(binary({ 'ce-specversion': '0.3' }), Buffer.alloc(0)), 'unknown specversion 0.3'],
  ['broken JSON', toDelivery(binary(JSON_TYPE), Buffer.from('{"a":')), 'broken JSON'],
  [
    'an unsupported format',
    toDelivery({ 'content-type': 'application/cloudevents+xml' }, Buffer.from('<a/>')),
    'in the unsupported format',
  ],
  [
    'a batch',
    toDelivery({ 'content-type': 'application/cloudevents-batch+json' }, Buffer.from('[]')),
    'in the unsupported format',
  ],
  ['a structured array', structured([]), 'it is not an object'],
  ['a structured null', structured(null), 'it is not an object'],
  ['a structured event without a type', structured({ ...attributes, type: undefined }), 'no type'],
  ['an attribute that is an object', structured({ ...attributes, subject: {} }), 'subject is not a simple value'],
])('%s is an event of type MALFORMED with the reason', (_, event, reason) => {
  expect(event).toMatchObject({ specversion: '1.0', type: MALFORMED, reason: expect.stringContaining(reason) })
  expect(event.id).toMatch(/^malformed-[0-9a-f]{32}$/)
})

test('a malformed request keeps its body, its place in the log and its headers without credentials', () => {
  const headers = {
    ...JSON_TYPE,
    'ce-knativekafkapartition': '2',
    'ce-knativekafkaoffset': '41',
    authorization: 'secret',
  }
  const event = toDelivery(headers, Buffer.from('{'))
  expect(event).toMatchObject({ knativekafkapartition: '2', knativekafkaoffset: '41', data: Buffer.from('{') })
  const { authorization: _, ...kept } = headers
  expect(JSON.parse(String(event.received))).toEqual(kept)
})

test('a malformed request has the same id each time, and another id at another place or with another body', () => {
  const id = (offset: string, body: string) => toDelivery({ 'ce-knativekafkaoffset': offset }, Buffer.from(body)).id
  expect(id('1', 'x')).toBe(id('1', 'x'))
  expect(new Set([id('1', 'x'), id('2', 'x'), id('1', 'y')]).size).toBe(3)
})

test('the event for an oversized body has its beginning and is marked as truncated', () => {
  const event = oversizedDelivery(binary(), Buffer.from('beginning'), 'too large')
  expect(event).toMatchObject({
    type: MALFORMED,
    truncated: 'true',
    reason: 'too large',
    data: Buffer.from('beginning'),
  })
})

describe('a malformed delivery', () => {
  const headers = (more = {}) => ({
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-id': 'a',
    'ce-source': '/millrace/publish#notes',
    'ce-type': 'notes.add',
    'ce-partitionkey': 'author/Gr%C3%BC%C3%9Fe',
    ...more,
  })

  test('keeps its id when it comes back from the error topic, says so, and names its stream', () => {
    const body = Buffer.from('{"text":')
    const first = toDelivery(headers({ 'ce-knativekafkapartition': '0', 'ce-knativekafkaoffset': '1' }), body)
    const place = { 'ce-knativekafkapartition': '2', 'ce-knativekafkaoffset': '70' }
    const copy = toDelivery(headers({ ...place, 'ce-knativeerrordest': 'http://persist/' }), body)
    expect(first).toMatchObject({ type: MALFORMED, partitionkey: 'author/Grüße' })
    expect(copy).toMatchObject({ type: MALFORMED, id: first.id, knativeerrordest: 'http://persist/' })
    expect(toDelivery(headers({ 'ce-id': 'b' }), body).id).not.toBe(first.id)
    // The key of a bare record is no stream of ours.
    expect(toDelivery(headers({ 'ce-type': PLAIN }), body).partitionkey).toBeUndefined()
  })

  test.each(['[', '{"a":'])('is JSON that is nested too deep to be written again: %s', (open) => {
    const close = open === '[' ? ']' : '}'
    const nested = (depth: number) => Buffer.from(`${open.repeat(depth)}1${close.repeat(depth)}`)
    expect(toDelivery(headers(), nested(500)).type).toBe('notes.add')
    expect(toDelivery(headers(), nested(501))).toMatchObject({
      type: MALFORMED,
      reason: expect.stringContaining('nested'),
    })
    expect(toDelivery(headers(), nested(100_000)).type).toBe(MALFORMED)
    const text = Buffer.from(JSON.stringify({ text: `\\"${'[{'.repeat(1000)}` }))
    expect(toDelivery(headers(), text).type).toBe('notes.add')
  })
})

test('attributes of the bare framework are decoded, once', () => {
  const event = { specversion: '1.0', id: 'a%2520b', source: '/x', type: 't', actor: 'Gr%C3%BC', data: '100%25' }
  expect(decodeAttributes(event)).toEqual({ ...event, id: 'a%20b', actor: 'Grü' })
})
