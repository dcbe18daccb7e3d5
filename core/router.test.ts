import { expect, test } from 'vitest'
import type { Problem } from './problem.ts'
import { router } from './request.ts'

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

test('HEAD matches where GET does', () => {
  expect(match('HEAD', '/api/things/1').target).toBe('one')
})

test('an unknown path is 404', () => {
  expect(problemOf(() => match('GET', '/nowhere')).status).toBe(404)
})

test('a path without parameters does not take the methods of a pattern that it matches too', () => {
  const mixed = router([
    { method: 'GET', path: '/', target: 'root' },
    { method: 'GET', path: '/api/letters/{id}', target: 'one' },
    { method: 'DELETE', path: '/api/letters/{id}', target: 'remove' },
    { method: 'POST', path: '/api/letters/redrive', target: 'redrive' },
  ])
  for (const path of ['/api/letters/redrive', '/api/letters/redrive/']) {
    expect(mixed('POST', path).target).toBe('redrive')
    for (const method of ['GET', 'HEAD', 'DELETE', 'PUT']) {
      const problem = problemOf(() => mixed(method, path))
      expect([problem.status, problem.headers.allow]).toEqual([405, 'POST'])
    }
  }
  expect(problemOf(() => mixed('PUT', '/api/letters/7')).headers.allow).toBe('DELETE, GET, HEAD')
  expect(problemOf(() => mixed('POST', '/')).headers.allow).toBe('GET, HEAD')
  expect(mixed('GET', '/api/letters/7').target).toBe('one')
})

test('a known path with another method is 405 with the accepted methods', () => {
  const problem = problemOf(() => match('DELETE', '/api/things/1'))
  expect(problem.status).toBe(405)
  expect(problem.headers.allow).toBe('GET, HEAD')
  expect(problemOf(() => match('NONSENSE', '/api/things')).headers.allow).toBe('POST')
})
