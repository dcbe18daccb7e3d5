import { expect, test } from 'vitest'
import { laggingPartitions } from './broker-sync.ts'

const partition = (partitionId: number, isr: number[]) => ({
  partitionId,
  isr,
  replicas: [0, 1, 2],
  leader: 0,
  partitionErrorCode: 0,
})

test('a partition with a missing replica is listed', () => {
  const topics = [
    { name: 'tutorials-topic', partitions: [partition(0, [0, 1, 2]), partition(1, [0, 2])] },
    { name: 'dead-letters', partitions: [partition(0, [2, 1, 0])] },
  ]
  expect(laggingPartitions(topics)).toEqual(['tutorials-topic 1'])
})
