import { spawnSync } from 'node:child_process'
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

test('the timers in the past that kafkajs sets print no warning', () => {
  const script = "await import('./deploy/broker-sync.ts'); setTimeout(() => {}, -1)"
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
})
