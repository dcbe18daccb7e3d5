import { afterAll, expect, test } from 'vitest'
import logs from '#domains/logs/domain.ts'
import { newKey, startIssuer } from '#test/auth/issuer.ts'
import { callers } from './callers.ts'
import { readConfig } from './config.ts'

const issuer = await startIssuer(await newKey('only'))
afterAll(() => issuer.goesAway())

const of = (env: Record<string, string>) => callers(readConfig(env), [logs])

test('who brings no token may what everybody may, and is nobody', async () => {
  const caller = await of({ ANONYMOUS_SCOPES: 'sums:read' })({})
  expect(caller).toEqual({ id: 'anonymous', scopes: new Set(['sums:read']) })
})

test('who brings one may that too', async () => {
  const callerOf = of({ OIDC_ISSUER: issuer.url, ANONYMOUS_SCOPES: 'sums:read' })
  const token = await issuer.sign({ roles: ['reader'] })
  expect(await callerOf({ authorization: `bearer  ${token}` })).toEqual({
    id: 'ada',
    scopes: new Set(['sums:read', 'logs:read']),
  })
})

test.each(['Basic YTpi', 'Bearer', 'Bearer ', 'Bearer a b', '', 'token'])(
  'what is no bearer token is refused, not overlooked: %s',
  async (authorization) => {
    const callerOf = of({ OIDC_ISSUER: issuer.url })
    await expect(callerOf({ authorization })).rejects.toMatchObject({ status: 401 })
  },
)

test('where no issuer is known no token is good', async () => {
  await expect(of({})({ authorization: `Bearer ${await issuer.sign()}` })).rejects.toMatchObject({ status: 401 })
})
