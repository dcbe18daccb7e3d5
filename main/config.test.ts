import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

test('the error names every wrong value at once', () => {
  expect(() => readConfig({ PORT: 'http', KAFKA_BROKERS: 'kafka:1,nowhere', LOG: 'paper' })).toThrow(
    /PORT=http:.*\n.*LOG=paper:.*\n.*KAFKA_BROKERS.1=kafka:1,nowhere:/,
  )
})

test('ANONYMOUS_SCOPES lists the scopes of callers without a token, and `none` is an empty list', () => {
  expect(readConfig({}).ANONYMOUS_SCOPES).toContain('sums:write')
  expect(readConfig({ ANONYMOUS_SCOPES: 'sums:read' }).ANONYMOUS_SCOPES).toEqual(['sums:read'])
  expect(readConfig({ ANONYMOUS_SCOPES: 'none' }).ANONYMOUS_SCOPES).toEqual([])
})

test('an empty variable is not set', () => {
  expect(readConfig({ KAFKA_USERNAME: '', MONGODB_POOL: '' })).toEqual(readConfig({}))
})

test.each([
  { KAFKA_USERNAME: 'ada' },
  { KAFKA_PASSWORD: 'secret' },
  { KAFKA_CA_FILE: '/etc/ca.crt' },
  { KAFKA_SASL: 'gssapi' },
  { KAFKA_TLS: 'true' },
  { MONGODB_POOL: '0' },
  { ALLOWED_HOSTS: 'mill.test:8080' },
  { ALLOWED_HOSTS: 'http://mill.test' },
  { RETENTION_DAYS: 'logs' },
  { RETENTION_DAYS: 'logs=0' },
  { RETENTION_DAYS: 'logs=7,tutorials=1.5' },
  { PERSIST_URL: 'persist:8080' },
  { OIDC_ISSUER: 'login.mill.example' },
  { OIDC_URL: 'http://keycloak:8080' },
  { OIDC_ALGORITHMS: 'RS256,HS256' },
  { OIDC_ALGORITHMS: 'none' },
])('an incomplete or invalid setting is an error: %j', (env) => {
  expect(() => readConfig(env)).toThrow('Wrong configuration')
})

test('RETENTION_DAYS has the days of each domain', () => {
  const { RETENTION_DAYS } = readConfig({ RETENTION_DAYS: 'logs=30, other=7,' })
  expect([...RETENTION_DAYS]).toEqual([
    ['logs', 30],
    ['other', 7],
  ])
  expect(readConfig({}).RETENTION_DAYS.size).toBe(0)
})

test.each([{ KAFKA_PASSWORD: 'kept quiet' }, { RECEIPT_SECRET: 'kept quiet' }, { MONGODB_URI: 'kept quiet' }])(
  'the error does not contain a secret: %j',
  (env) => {
    let said = ''
    try {
      readConfig(env)
    } catch (error) {
      said = (error as Error).message
    }
    expect(said).toContain(`${Object.keys(env)[0]}: `)
    expect(said).not.toContain('kept quiet')
  },
)

test('a start with a wrong setting prints its name and nothing else', () => {
  const { status, stderr } = spawnSync(process.execPath, ['main/dev.ts'], {
    env: { ...process.env, PORT: 'http' },
    encoding: 'utf8',
  })
  expect(status).toBe(1)
  expect(stderr).toMatch(/^Wrong configuration:\n {2}PORT=http: .*\n$/)
})
