import { expect, test } from 'vitest'
import type { Caller } from '#domains/domain.ts'
import { authorize } from './access.ts'
import { rolesOf, scopesIn } from './roles.ts'

const caller = (scopes: string[], organisation?: string): Caller => ({
  id: 'ada',
  scopes: new Set(scopes),
  ...(organisation === undefined ? {} : { organisation }),
})
const anonymous: Caller = { ...caller(['notes:read']), id: 'anonymous' }
const ofAcme = { scope: 'logs:read', organisation: () => 'acme' }

test('what needs nothing is open to all', () => {
  authorize({}, anonymous, {})
  authorize({ scope: 'notes:read' }, anonymous, {})
})

test('without a token it is 401, which says how; with one that is not enough 403, which says what is lacking', () => {
  expect(() => authorize({ scope: 'notes:write' }, anonymous)).toThrow(
    expect.objectContaining({ status: 401, headers: { 'www-authenticate': 'Bearer realm="millrace"' } }),
  )
  expect(() => authorize({ scope: 'notes:write' }, caller(['notes:read']))).toThrow(
    expect.objectContaining({
      status: 403,
      headers: { 'www-authenticate': 'Bearer realm="millrace", error="insufficient_scope", scope="notes:write"' },
    }),
  )
})

test('what is of an organisation is for who belongs to it', () => {
  authorize(ofAcme, caller(['logs:read'], 'acme'), {})
  for (const stranger of [caller(['logs:read'], 'other'), caller(['logs:read'])]) {
    expect(() => authorize(ofAcme, stranger, {})).toThrow(expect.objectContaining({ status: 403 }))
  }
  expect(() => authorize(ofAcme, { ...anonymous, scopes: new Set(['logs:read']) }, {})).toThrow(
    expect.objectContaining({ status: 401 }),
  )
})

test('only the scope over all organisations lifts that bound, and does not stand for the right itself', () => {
  authorize(ofAcme, caller(['logs:read', 'logs:all'], 'other'), {})
  for (const scopes of [['logs:all'], ['logs:read', 'forum:all'], ['logs:read', 'all']]) {
    expect(() => authorize(ofAcme, caller(scopes, 'other'), {})).toThrow(expect.objectContaining({ status: 403 }))
  }
})

test('a role brings what every domain says of it', () => {
  const scopesOf = rolesOf([
    { roles: { administrator: ['letters:read'], reader: ['logs:read'] } },
    {},
    { roles: { administrator: ['forum:administrate'] } },
  ])
  expect([...scopesOf('administrator')]).toEqual(['letters:read', 'forum:administrate'])
  expect([...scopesOf('reader')]).toEqual(['logs:read'])
  expect([...scopesOf('constructor')]).toEqual([])
})

test('rules get to see those scopes that the roles of their domain bring', () => {
  const roles = { member: ['forum:write'], administrator: ['forum:write', 'forum:administrate'] }
  const scopes = new Set(['sums:read', 'forum:write'])
  expect(scopesIn({ kind: 'decide', roles }, scopes)).toEqual(['forum:write'])
  expect(scopesIn({ kind: 'decide' }, scopes)).toEqual([])
  expect(scopesIn({ kind: 'append', roles }, scopes)).toEqual([])
})
