import { expect, test } from 'vitest'
import type { Domain } from '#domains/domain.ts'
import sums from '#domains/sums/domain.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { ungrantedScopes } from './scopes.ts'

const withoutRoles: Domain = { ...tutorials, roles: {} }
const sumsWithRoles: Domain = { ...sums, commands: {}, queries: [], roles: { ...tutorials.roles } }

test('scopes that a role or ANONYMOUS_SCOPES grants are not reported', () => {
  expect(ungrantedScopes([sums, tutorials], [])).toEqual([])
  expect(ungrantedScopes([withoutRoles], ['tutorials:read', 'tutorials:write', 'tutorials:import'])).toEqual([])
})

test('a role of another domain may grant a scope', () => {
  expect(ungrantedScopes([withoutRoles, sumsWithRoles], [])).toEqual([])
})

test('a scope that nobody has is reported once, at its first place', () => {
  expect(ungrantedScopes([{ ...tutorials, roles: { member: ['tutorials:raed', 'tutorials:write'] } }], [])).toEqual([
    'domain tutorials, command tutorials.import: Neither a role nor ANONYMOUS_SCOPES grants the scope "tutorials:import", so no caller has it. Add it to a role of the domain.',
    'domain tutorials, query GET /api/test: Neither a role nor ANONYMOUS_SCOPES grants the scope "tutorials:read", so no caller has it. Did you mean "tutorials:raed"?',
  ])
})
