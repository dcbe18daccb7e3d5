import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '#main/config.ts'
import { kafkaSecurity } from './kafka-security.ts'

const securityOf = (env: Record<string, string>) => kafkaSecurity(readConfig(env))

test('without settings: plain text', () => {
  expect(securityOf({})).toEqual({})
})

test('TLS without a file trusts the authorities of Node', () => {
  expect(securityOf({ KAFKA_TLS: 'on' })).toEqual({ ssl: {} })
})

test('TLS with a file trusts that authority only', () => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-'))
  const file = join(dir, 'ca.crt')
  writeFileSync(file, 'a certificate')
  expect(securityOf({ KAFKA_TLS: 'on', KAFKA_CA_FILE: file })).toEqual({ ssl: { ca: ['a certificate'] } })
  rmSync(dir, { recursive: true })
})

const credentials = { KAFKA_USERNAME: 'ada', KAFKA_PASSWORD: 'secret' }

test.each([
  ['SCRAM-SHA-512', 'scram-sha-512'],
  ['scram-sha-256', 'scram-sha-256'],
  ['PLAIN', 'plain'],
  ['', 'plain'],
])('SASL %j, in the case that the Secret of a KafkaSink has it', (KAFKA_SASL, mechanism) => {
  expect(securityOf({ ...credentials, KAFKA_SASL, KAFKA_TLS: 'on' })).toEqual({
    ssl: {},
    sasl: { mechanism, username: 'ada', password: 'secret' },
  })
})
