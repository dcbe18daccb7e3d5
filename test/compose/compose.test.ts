import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { settings } from '#main/settings.ts'
import { type Model, readModel, type Service } from './model.ts'
import { envOf, ours, violations } from './rules.ts'

const model = readModel()

test('compose.yaml keeps the rules', () => {
  expect(violations(model)).toEqual([])
})

test('it runs every target, from the image for a laptop, which alone has the local KafkaSource', () => {
  const targets = ours(model).map(([, { environment }]) => environment?.FUNCTION_TARGET)
  expect(targets.sort()).toEqual(settings.FUNCTION_TARGET.unwrap().options.toSorted())
  const builders = ours(model).flatMap(([, { build }]) => build ?? [])
  expect(builders).toEqual([expect.objectContaining({ target: 'laptop' })])
  expect(readFileSync('Dockerfile', 'utf8')).toMatch(/^FROM runtime AS laptop$/m)
})

/** A copy with one thing changed, and what is then wrong. */
const broken: [string, (services: Record<string, Service>) => void][] = [
  ['mongodb has no pinned image', ({ mongodb }) => change(mongodb, { image: 'mongo:latest' })],
  ['mongodb has no pinned image', ({ mongodb }) => change(mongodb, { image: 'mongo' })],
  ['persist builds millrace:laptop, as another does', ({ persist }) => change(persist, { build: {} })],
  ['persist has no health check', ({ persist }) => change(persist, { healthcheck: { disable: true } })],
  [
    'persist is not asked for its health',
    ({ persist }) => change(persist, { environment: { ...persist?.environment, PORT: 80 } }),
  ],
  [
    'publish waits for persist by service_started',
    ({ publish }) => change(publish?.depends_on?.persist, { condition: 'service_started' }),
  ],
  ['source sets PERSISTURL', ({ source }) => change(source?.environment, { PERSISTURL: 'http://persist:8080/' })],
  [
    'publish-grpc is not asked for its health',
    ({ 'publish-grpc': grpc }) => change(grpc?.environment, { METRICS_PORT: 9100 }),
  ],
  ['LOG=kafca', ({ source }) => change(source?.environment, { LOG: 'kafca' })],
  [
    'source calls persist at another port',
    ({ source }) => change(source?.environment, { PERSIST_URL: 'http://persist:80/' }),
  ],
  ['query calls kafka-1 at another port', ({ query }) => change(query?.environment, { KAFKA_BROKERS: 'kafka-1:9094' })],
  [
    'query does not wait for mongo',
    ({ query }) => change(query?.environment, { MONGODB_URI: 'mongodb://mongo:27017' }),
  ],
  [
    'source does not wait for persist',
    ({ source, prepare }) => change(source, { depends_on: prepare?.depends_on ?? {} }),
  ],
  [
    'publish does not wait for persist',
    ({ publish, persist }) => change(publish, { depends_on: persist?.depends_on ?? {} }),
  ],
  ['query runs publish', ({ query }) => change(query?.environment, { FUNCTION_TARGET: 'publish' })],
  ['query has a secret in clear', ({ query }) => change(query?.environment, { RECEIPT_SECRET: 'x'.repeat(32) })],
  ['query has a secret in clear', ({ query }) => change(query?.environment, { OTHER_SECRETS: 'x'.repeat(32) })],
  ['persist is not given RECEIPT_SECRET', ({ persist }) => remove(persist, 'RECEIPT_SECRET')],
  ['publish-grpc is not given OTHER_SECRETS', ({ 'publish-grpc': grpc }) => remove(grpc, 'OTHER_SECRETS')],
  ['query may write', ({ query }) => change(query, { read_only: false })],
  ['gateway is not published at 8080', ({ gateway }) => change(gateway, { ports: [] })],
  ['gateway is not published at 9081', ({ gateway }) => change(gateway?.ports?.[1], { published: '9080' })],
  ['publish-grpc is not published at 9093', ({ 'publish-grpc': grpc }) => change(grpc?.ports?.[2], { target: 9093 })],
  ['publish is open to other machines', ({ publish }) => change(publish?.ports?.[0], { host_ip: '' })],
]

test.each(broken)('a copy in which %s is refused', (what, spoil) => {
  const copy: Model = structuredClone(model)
  spoil(copy.services)
  expect(violations(copy)).toContainEqual(expect.stringContaining(what))
})

function change<Part extends object>(part: Part | undefined, values: Partial<Part>): void {
  if (!part) throw new Error('there is nothing to change')
  Object.assign(part, values)
}

function remove({ environment = {} }: Service = {}, setting: string): void {
  if (!(setting in environment)) throw new Error(`${setting} is not there`)
  delete environment[setting]
}

test('tokens name the issuer by its address for browsers, and functions reach it at its service name', () => {
  const { keycloak } = model.services
  const { KC_HOSTNAME = '' } = envOf(keycloak as Service)
  expect(keycloak?.ports?.map(({ published }) => published)).toEqual([new URL(KC_HOSTNAME).port])
  const { realm } = JSON.parse(readFileSync('knative/components/keycloak/realm.json', 'utf8'))
  for (const name of ['publish', 'publish-grpc', 'query']) {
    const { OIDC_ISSUER, OIDC_URL } = envOf(model.services[name] as Service)
    expect([OIDC_ISSUER, OIDC_URL]).toEqual([`${KC_HOSTNAME}/realms/${realm}`, `http://keycloak:8080/realms/${realm}`])
  }
})

test('Docker Compose and the cluster run the same images', () => {
  const files = readdirSync('knative/components', { recursive: true, encoding: 'utf8' })
  const texts = files
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => readFileSync(join('knative/components', file), 'utf8'))
  const theirs = new Set(texts.flatMap((text) => [...text.matchAll(/^\s*image: (\S+)$/gm)].map(([, image]) => image)))
  const own = new Set(ours(model).map(([, { image }]) => image))
  const images = Object.values(model.services).flatMap(({ image }) => (own.has(image) ? [] : [image]))
  expect([...theirs].sort()).toEqual([...new Set(images)].sort())
})
