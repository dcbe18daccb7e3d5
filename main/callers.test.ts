import { afterAll, expect, test, vi } from 'vitest'
import logs from '#domains/logs/domain.ts'
import { newKey, startIssuer } from '#test/auth/issuer.ts'
import { callers } from './callers.ts'
import { readConfig } from './config.ts'
import { telemetry } from './telemetry.ts'

const issuer = await startIssuer(await newKey('only'))
afterAll(() => issuer.goesAway())

const of = (env: Record<string, string>) => callers(readConfig(env), [logs])

test('a caller without a token is anonymous, with the anonymous scopes', async () => {
  const caller = await of({ ANONYMOUS_SCOPES: 'sums:read' })({})
  expect(caller).toEqual({ id: 'anonymous', scopes: new Set(['sums:read']) })
})

test('a caller with a token has the anonymous scopes too', async () => {
  const callerOf = of({ OIDC_ISSUER: issuer.url, ANONYMOUS_SCOPES: 'sums:read' })
  const token = await issuer.sign({ roles: ['reader'] })
  expect(await callerOf({ authorization: `bearer  ${token}` })).toEqual({
    id: 'ada',
    scopes: new Set(['sums:read', 'logs:read']),
  })
})

test.each(['Basic YTpi', 'Bearer', 'Bearer ', 'Bearer a b', '', 'token'])(
  'an authorization that is not a bearer token is refused: %s',
  async (authorization) => {
    const callerOf = of({ OIDC_ISSUER: issuer.url })
    await expect(callerOf({ authorization })).rejects.toMatchObject({ status: 401 })
  },
)

test('without an issuer every token is refused', async () => {
  await expect(of({})({ authorization: `Bearer ${await issuer.sign()}` })).rejects.toMatchObject({ status: 401 })
})

test('a scope that nobody grants is a warning', () => {
  const warn = vi.spyOn(telemetry().logger, 'warn')
  of({})
  expect(warn).not.toHaveBeenCalled()
  callers(readConfig({}), [{ ...logs, roles: { reader: ['logs:read'] } }])
  expect(warn.mock.calls).toEqual([[{}, expect.stringContaining('domain logs, command logs.write: Neither a role')]])
})
