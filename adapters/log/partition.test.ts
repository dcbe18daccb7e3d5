import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { partitionOf } from './partition.ts'

/** From the unit tests of Kafka's own Java client. */
const VECTORS: [key: string, hash: number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

test.each(VECTORS)('given the key %s, then its partition is that of the Java client', (key, hash) => {
  for (const partitions of [1, 3, 6, 1000]) expect(partitionOf(key, partitions)).toBe((hash & 0x7fffffff) % partitions)
})

test('given any bytes, then their partition is that of kafkajs', () => {
  const partitionMetadata = Array.from({ length: 17 }, (_, partitionId) => ({ partitionId, leader: 1 }))
  const choose = kafkajs.Partitioners.DefaultPartitioner()
  for (let length = 0; length < 300; length++) {
    const key = Buffer.from(Array.from({ length }, (_, at) => (at * 131 + length * 17) % 256))
    const message = { key, value: null }
    expect(partitionOf(key, 17)).toBe(choose({ topic: 't', message, partitionMetadata: partitionMetadata as never }))
  }
})

test('given text, then its UTF-8 bytes count', () => {
  expect(partitionOf('Mühlgraben/42', 6)).toBe(partitionOf(Buffer.from('Mühlgraben/42'), 6))
})
