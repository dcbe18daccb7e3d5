import { expect, test } from 'vitest'
import { offsetTracker } from './in-flight.ts'

test('given deliveries that finish in any order, then the offset of the first unfinished one is ready', () => {
  const partition = offsetTracker()
  for (const offset of [10, 11, 12, 20]) partition.begin(offset)
  partition.finish(12)
  partition.finish(11)
  expect(partition.ready()).toBe(10)
  partition.finish(10)
  expect(partition.ready()).toBe(20)
  partition.finish(20)
  expect(partition.ready()).toBe(21)
})

test('given nothing new, then nothing is ready; an offset whose commit failed stays ready', () => {
  const partition = offsetTracker()
  expect(partition.ready()).toBeUndefined()
  partition.begin(0)
  partition.finish(0)
  expect(partition.ready()).toBe(1)
  expect(partition.ready()).toBe(1)
  partition.committed(1)
  expect(partition.ready()).toBeUndefined()
})

test('given a partition that is read again from an earlier offset, then earlier deliveries block nothing', () => {
  const partition = offsetTracker()
  for (const offset of [5, 6, 7]) partition.begin(offset)
  partition.finish(7)
  partition.begin(6)
  expect(partition.ready()).toBe(6)
  partition.finish(6)
  expect(partition.ready()).toBe(7)
  partition.begin(7)
  partition.finish(5)
  expect(partition.ready()).toBe(7)
})
