import { expect, test } from 'vitest'
import { fetchable } from './flux.ts'

test.each([
  ['https://github.com/example/millrace', 'https://github.com/example/millrace'],
  ['ssh://git@github.com/example/millrace.git', 'ssh://git@github.com/example/millrace.git'],
  ['git@github.com:example/millrace.git', 'ssh://git@github.com/example/millrace.git'],
])('Flux follows %s as %s', (given, wanted) => {
  expect(fetchable(given)).toBe(wanted)
})

test('a URL that Flux can not fetch is refused', () => {
  expect(() => fetchable('../millrace')).toThrow('REPO=')
})
