import { expect, test } from 'vitest'
import type { Caller } from '#domains/domain.ts'
import { authorize, rolesOf, scopesIn } from './access.ts'

const caller = (scopes: string[], organisation?: string): Caller => ({
  id: 'ada',
  scopes: new Set(scopes),
  ...(organisation === undefined ? {} : { organisation }),
})
const anonymous: Caller = { ...caller(['notes:read']), id: 'anonymous' }
const ofAcme = { scope: 'logs:read', organisation: () => 'acme' }

test('a query without restrictions is open to all callers', () => {
  authorize({}, anonymous, {})
  authorize({ scope: 'notes:read' }, anonymous, {})
})

test('a missing token is 401 with the scheme, and an insufficient one is 403 with the missing scope', () => {
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

test('only members of an organisation have access to it', () => {
  authorize(ofAcme, caller(['logs:read'], 'acme'), {})
  for (const stranger of [caller(['logs:read'], 'other'), caller(['logs:read'])]) {
    expect(() => authorize(ofAcme, stranger, {})).toThrow(expect.objectContaining({ status: 403 }))
  }
  expect(() => authorize(ofAcme, { ...anonymous, scopes: new Set(['logs:read']) }, {})).toThrow(
    expect.objectContaining({ status: 401 }),
  )
})

test('the scope for all organisations lifts the restriction, but does not replace the required scope', () => {
  authorize(ofAcme, caller(['logs:read', 'logs:all'], 'other'), {})
  for (const scopes of [['logs:all'], ['logs:read', 'forum:all'], ['logs:read', 'all']]) {
    expect(() => authorize(ofAcme, caller(scopes, 'other'), {})).toThrow(expect.objectContaining({ status: 403 }))
  }
})

test('a role grants the scopes that every domain gives it', () => {
  const scopesOf = rolesOf([
    { roles: { administrator: ['letters:read'], reader: ['logs:read'] } },
    {},
    { roles: { administrator: ['forum:administrate'] } },
  ])
  expect([...scopesOf('administrator')]).toEqual(['letters:read', 'forum:administrate'])
  expect([...scopesOf('reader')]).toEqual(['logs:read'])
  expect([...scopesOf('constructor')]).toEqual([])
})

test('rules see the scopes that the roles of their domain grant', () => {
  const roles = { member: ['forum:write'], administrator: ['forum:write', 'forum:administrate'] }
  const scopes = new Set(['sums:read', 'forum:write'])
  expect(scopesIn({ kind: 'decide', roles }, scopes)).toEqual(['forum:write'])
  expect(scopesIn({ kind: 'decide' }, scopes)).toEqual([])
  expect(scopesIn({ kind: 'append', roles }, scopes)).toEqual([])
})
