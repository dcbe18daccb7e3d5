import { given } from 'millrace/testing'
import { test } from 'vitest'
import hello from './domain.ts'

const say = (name: string) => ({ type: 'hello.say' as const, data: { name } })

test('whoever says hello is in the list, the last one first', async () => {
  await given(hello, say('Ada'), say('Grace')).thenQuery('list', {}, { items: [{ name: 'Grace' }, { name: 'Ada' }] })
})

test('a blank name is invalid', async () => {
  await given(hello).when(say(' ')).thenExpect({ invalid: 'name: Too small: expected string to have >=1 characters' })
})
