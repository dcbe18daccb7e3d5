import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Log } from '#core/log.ts'
import { readConfig } from '#main/config.ts'
import { freePort } from '#test/mill.ts'
import { kafkaJars, run } from '#test/services/install.ts'
import { type Server, server } from '#test/services/server.ts'
import { kafkaLog } from './kafka.ts'
import { kafkaSecurity } from './kafka-security.ts'

/** A broker that clients reach over TLS and with a password only. */
const dir = mkdtempSync(join(tmpdir(), 'millrace-sasl-'))
const at = (file: string) => join(dir, file)
let port: number
let broker: Server | undefined

const logs: Log[] = []
function open(env: Record<string, string> = {}): Log {
  const right = { KAFKA_TLS: 'on', KAFKA_CA_FILE: at('ca.crt'), KAFKA_USERNAME: 'ada', KAFKA_PASSWORD: 'secret' }
  const security = kafkaSecurity(readConfig({ ...right, ...env }))
  const log = kafkaLog({ brokers: [`127.0.0.1:${port}`], security, replication: 1, maxBuffered: 10 })
  logs.push(log)
  return log
}

beforeAll(async () => {
  const [jars, inside, controller] = await Promise.all([kafkaJars(), freePort(), freePort()])
  port = await freePort()
  const store = ['-keystore', at('keys.p12'), '-storepass', 'changeit', '-alias', 'broker']
  const key = ['-keyalg', 'RSA', '-dname', 'CN=broker', '-ext', 'san=ip:127.0.0.1', '-storetype', 'PKCS12']
  await run('keytool', ['-genkeypair', ...store, ...key])
  await run('keytool', ['-exportcert', '-rfc', ...store, '-file', at('ca.crt')])
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INSIDE',
    listeners: `CLIENTS://127.0.0.1:${port},INSIDE://127.0.0.1:${inside},CONTROLLER://127.0.0.1:${controller}`,
    'listener.security.protocol.map': 'CLIENTS:SASL_SSL,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'listener.name.clients.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.clients.plain.sasl.jaas.config':
      'org.apache.kafka.common.security.plain.PlainLoginModule required user_ada="secret";',
    'listener.name.clients.scram-sha-256.sasl.jaas.config':
      'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'listener.name.clients.scram-sha-512.sasl.jaas.config':
      'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'ssl.keystore.location': at('keys.p12'),
    'ssl.keystore.password': 'changeit',
    'offsets.topic.replication.factor': 1,
    'log.dirs': at('log'),
  }
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`)
  writeFileSync(at('broker.properties'), lines.join('\n'))
  const users = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((how) => ['-S', `${how}=[name=ada,password=secret]`])
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'bWlsbHJhY2UtdGVzdC1rYQ', '-c', at('broker.properties')]
  await run('java', ['-cp', jars, ...format, ...users])
  broker = server({
    name: 'the broker',
    command: ['java', '-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', jars, 'kafka.Kafka', at('broker.properties')],
    logFile: at('broker.log'),
    ready: () => open().ping(),
    onStart: () => undefined,
  })
  await broker.start()
})

afterAll(async () => {
  await Promise.all(logs.map((log) => log.close().catch(() => undefined)))
  await broker?.kill()
  rmSync(dir, { recursive: true })
})

test.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('%s over TLS: a record goes in and comes out', async (how) => {
  const log = open({ KAFKA_SASL: how })
  const topic = `test-${how.toLowerCase()}`
  await log.ensure([{ name: topic, partitions: 1 }])
  await log.append(topic, { key: 'key', value: 'value' })
  const values: (string | undefined)[] = []
  for await (const { value } of log.scan(topic)) values.push(value?.toString())
  expect(values).toEqual(['value'])
})

test.each([
  ['a wrong password', { KAFKA_PASSWORD: 'guessed' }],
  ['a wrong password, proved by SCRAM', { KAFKA_PASSWORD: 'guessed', KAFKA_SASL: 'SCRAM-SHA-512' }],
  ['no password', { KAFKA_USERNAME: '', KAFKA_PASSWORD: '' }],
  ['a certificate that nobody vouches for', { KAFKA_CA_FILE: '' }],
  ['plain text', { KAFKA_TLS: 'off', KAFKA_CA_FILE: '' }],
])('%s gets nowhere', async (_, env) => {
  await expect(open(env).ping()).rejects.toThrow()
})
