import { expect, test } from 'vitest'
import type { Domain } from '#domains/domain.ts'
import sums from '#domains/sums/domain.ts'
import { sourceManifests } from './kafka-sources.ts'

const brokers = ['one:9092', 'two:9092']
const named = (name: string, topic: string): Domain => ({ ...sums, name, topic: { name: topic, partitions: 7 } })

test('the manifest of a KafkaSource follows from the domain', () => {
  const ordered = { ...named('orders', 'orders-topic'), ordering: 'ordered' } as Domain
  const manifest = sourceManifests([ordered], brokers)['orders.yaml']
  for (const line of [
    '  name: orders',
    '    - one:9092\n    - two:9092',
    '  topics: [orders-topic]',
    '  consumerGroup: millrace-orders',
    '  consumers: 7',
    '  ordering: ordered',
  ])
    expect(manifest).toContain(`\n${line}\n`)
})

test('the list names the file of each domain, and of the error topic', () => {
  const { 'kustomization.yaml': list, ...files } = sourceManifests([named('ants', 'a'), named('bees', 'b')], brokers)
  expect(list).toContain('resources:\n  - ants.yaml\n  - bees.yaml\n  - dead-letters.yaml\n')
  expect(Object.keys(files)).toEqual(['ants.yaml', 'bees.yaml', 'dead-letters.yaml'])
})

test.each(['1.5', 'true', 'No', 'null', '-', '7'])(
  'the topic %s is quoted, so that YAML reads it as a text',
  (topic) => {
    expect(sourceManifests([named('orders', topic)], brokers)['orders.yaml']).toContain(`topics: ["${topic}"]`)
  },
)
