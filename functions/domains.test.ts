import { expect, test } from 'vitest'
import { refuseClashes } from './domains.ts'
import { findDomains } from './find-domains.ts'

test('every folder under domains/ is found', async () => {
  expect((await findDomains()).map(({ name }) => name)).toEqual(['letters', 'logs', 'sums', 'tutorials'])
})

test('two domains that claim one thing stop the start, by name', async () => {
  const tutorials = (await findDomains()).find(({ name }) => name === 'tutorials')
  if (!tutorials) throw new Error('no domain')
  expect(() => refuseClashes([tutorials, { ...tutorials, name: 'other' }])).toThrow(
    'topic tutorials-topic belongs to domain tutorials and to other',
  )
})
