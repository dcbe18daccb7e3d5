import { given } from 'millrace/testing'
import { test } from 'vitest'
import guestbook from './domain.ts'

const sign = (data: { name: string; text: string }, id = 'one') => ({ type: 'guestbook.sign' as const, data, id })

test('a signature is trimmed and becomes an entry with its time', async () => {
  const time = '2030-01-01T00:00:00.000Z'
  await given(guestbook)
    .when({ ...sign({ name: ' Ada ', text: 'The wheel turns\n' }), time })
    .thenExpect({ documents: { guestbook: { one: { name: 'Ada', text: 'The wheel turns', time } } } })
})

test.each([
  ['no text', { name: 'Ada', text: '' }, 'text: Too small: expected string to have >=1 characters'],
  ['an empty name', { name: ' ', text: 'Hello' }, 'name: Too small: expected string to have >=1 characters'],
  [
    'a text of more than 1,000 characters',
    { name: 'Ada', text: 'x'.repeat(1001) },
    'text: Too big: expected string to have <=1000 characters',
  ],
  ['an unknown member', { name: 'Ada', text: 'Hello', colour: 'red' }, 'Unrecognized key: "colour"'],
])('a signature with %s is invalid', async (_, data, invalid) => {
  await given(guestbook).when(sign(data)).thenExpect({ invalid })
})

test('the list has the newest entry first', async () => {
  await given(
    guestbook,
    sign({ name: 'Ada', text: 'Hello' }, 'first'),
    sign({ name: 'Bob', text: 'Hi' }, 'second'),
  ).thenQuery('list', {}, { items: [{ id: 'second', name: 'Bob' }, { id: 'first' }], next: null })
})

test('an entry that is not there is 404', async () => {
  await given(guestbook, sign({ name: 'Ada', text: 'Hello' })).thenQuery('one', { id: 'two' }, { problem: 404 })
})
