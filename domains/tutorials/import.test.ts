import { expect, test } from 'vitest'
import type { RecordCodec } from '#domains/domain.ts'
import domain from './domain.ts'

const { documents } = domain
const { commands } = domain.contract
const imported = commands['tutorials.import']
const id = '507f1f77bcf86cd799439011'

test('an imported tutorial keeps its id, its title with every space, and the time in its id', () => {
  const data = imported.data.parse({ id, title: ' \ufeffa\tb ' })
  expect(imported.id(data)).toBe(id)
  const record = domain.topic.record as RecordCodec
  const value = record.encode(data, { id, time: '' })
  expect(value).toBe(' \ufeffa\tb ')
  const read = record.decode(value, { id, type: 'tutorials.import' })
  expect(imported.data.parse(read)).toEqual(data)
  const command = { id, type: 'tutorials.import', data, stream: '', time: '2026-11-21T00:00:00.000Z', actor: 'a' }
  expect(documents.document({ ...command, scopes: [], offset: 0 })).toEqual({
    title: ' \ufeffa\tb ',
    time: '2012-10-17T21:13:27.000Z',
  })
})

test('a published tutorial has the time of its command, even if its id looks like an imported one', () => {
  const time = '2026-11-21T00:00:00.000Z'
  const command = { id, type: 'tutorials.publish', data: { title: 'a' }, stream: '', time, actor: 'a' }
  expect(documents.document({ ...command, scopes: [], offset: 0 })).toEqual({ title: 'a', time })
})

test.each([
  ['5F7f1f77bcf86cd799439011', 'a', 'ObjectId'],
  ['507f1f77bcf86cd79943901', 'a', 'ObjectId'],
  ['01998f1e-7c3b-7d1e-9a51-0242ac120002', 'a', 'ObjectId'],
  [id, '', 'Too small'],
  [id, 'x'.repeat(10_001), 'Too big'],
  [id, null, 'expected string'],
])('the id %s with the title %j is invalid', (id, title, reason) => {
  expect(imported.data.safeParse({ id, title }).error?.message).toContain(reason)
})
