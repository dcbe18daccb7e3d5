import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { expect, test } from 'vitest'
import { asyncapi } from '#functions/describe/asyncapi.ts'
import { toRecord } from '#functions/publish/accepted-command.ts'
import { findDomains } from '#main/find-domains.ts'
import { SEALS } from '#test/trust.ts'

const domains = await findDomains()
const document = asyncapi(domains)

const ajv = new Ajv({ strict: false, allErrors: true })
formats.default(ajv)

/** `3.0.0-without-$id.json` of @asyncapi/specs 6.11.1, whose other schemas are 8 MB. */
const schema = JSON.parse(readFileSync('test/describe/asyncapi-3.0.0.schema.json', 'utf8'))

test('the schema of AsyncAPI finds no error, and every reference resolves', () => {
  const validate = ajv.compile(schema)
  expect(validate(document), JSON.stringify(validate.errors)).toBe(true)
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path)
  for (const path of new Set(references)) {
    const found = path.split('/').reduce<unknown>((part, name) => (part as Record<string, unknown>)?.[name], document)
    expect(found, path).toBeTypeOf('object')
  }
})

test('every topic is a channel with its partitions', () => {
  const channels = Object.values(document.channels).map(({ address, bindings }) => [address, bindings.kafka.partitions])
  const topics = domains.map(({ topic }) => [topic.name, topic.partitions])
  expect(channels).toEqual([...topics, ['dead-letters', 3]])
})

const samples: { [type: string]: { [name: string]: unknown } } = {
  'tutorials.publish': { title: 'Über Mühlen' },
  'tutorials.import': { id: '507f1f77bcf86cd799439011', title: 'Mahlen' },
  'sums.add': { requestId: 'one', firstNumber: 2, secondNumber: 3 },
  'letters.discard': { id: 'one', reason: 'why not' },
}

test.each(Object.entries(samples))('a record of %s has the headers and the value of its message', (type, data) => {
  const domain = domains.find(({ commands }) => type in commands)
  if (!domain) throw new Error(`there is no ${type}`)
  const accepted = { id: 'an-id', type, stream: 'a/ü', time: Date.now(), actor: 'anonymous', traceparent: '00-1-2-01' }
  const command = { ...accepted, data: data as Record<string, string>, expectedVersion: 3 }
  const { record } = toRecord(command, domain.topic, SEALS)
  const message = document.components.messages[type]
  const isJson = String(record.headers?.['content-type']).includes('json')
  const value = isJson ? JSON.parse(String(record.value)) : record.value
  expect(refusedBy(message.headers, record.headers)).toEqual([])
  expect(refusedBy(message.payload, value)).toEqual([])
  expect(refusedBy(message.headers, { ...record.headers, ce_more: 'x' })).not.toEqual([])
  expect(refusedBy(message.payload, 7)).not.toEqual([])
})

function refusedBy(schema: object, value: unknown): unknown[] {
  const validate = ajv.compile({ ...schema, components: document.components })
  return validate(value) ? [] : (validate.errors ?? [])
}
