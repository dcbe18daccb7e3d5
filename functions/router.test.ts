import { expect, test } from 'vitest'
import type { Problem } from '#adapters/host/http.ts'
import { router } from './router.ts'

const match = router([
  { method: 'POST', path: '/api/things', target: 'make' },
  { method: 'GET', path: '/api/things/{id}', target: 'one' },
])

const problemOf = (run: () => unknown): Problem => {
  try {
    run()
  } catch (error) {
    return error as Problem
  }
  throw new Error('nothing was thrown')
}

test('a path with a parameter finds its target, decoded', () => {
  expect(match('GET', '/api/things/a%20b')).toEqual({ target: 'one', path: '/api/things/{id}', params: { id: 'a b' } })
})

test('HEAD is answered where GET is', () => {
  expect(match('HEAD', '/api/things/1').target).toBe('one')
})

test('an unknown path is 404', () => {
  expect(problemOf(() => match('GET', '/nowhere')).status).toBe(404)
})

test('a known path with another method is 405 and says what it takes', () => {
  const problem = problemOf(() => match('DELETE', '/api/things/1'))
  expect(problem.status).toBe(405)
  expect(problem.headers.allow).toBe('GET, HEAD')
  expect(problemOf(() => match('NONSENSE', '/api/things')).headers.allow).toBe('POST')
})
