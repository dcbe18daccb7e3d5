import { expect, test } from 'vitest'
import guestbook from './domain.ts'

const sign = guestbook.contract.commands['guestbook.sign']

test('a signature is trimmed and becomes an entry with its time', () => {
  const data = sign.data.parse({ name: ' Ada ', text: 'The wheel turns\n' })
  const [id, type, time] = ['one', 'guestbook.sign', '2030-01-01T00:00:00.000Z']
  const command = { id, type, time, data, stream: `entry/${id}`, actor: 'anonymous', scopes: [], offset: 0 }
  expect(guestbook.documents.document(command)).toEqual({ name: 'Ada', text: 'The wheel turns', time })
})

test.each([
  ['no text', { name: 'Ada' }],
  ['an empty name', { name: ' ', text: 'Hello' }],
  ['a text of more than 1,000 characters', { name: 'Ada', text: 'x'.repeat(1001) }],
  ['an unknown member', { name: 'Ada', text: 'Hello', colour: 'red' }],
])('a signature with %s is invalid', (_, data) => {
  expect(sign.data.safeParse(data).success).toBe(false)
})
