import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { probes } from '#adapters/host/probes.ts'
import { settingsOf } from '#adapters/log/kafka-topics.ts'
import { deadLetterSource, deadLetters } from '#core/kafka-source-policy.ts'
import type { Domain } from '#domains/domain.ts'
import { HOLD_MS } from '#functions/persist/applier.ts'
import { milliseconds } from '#local/kafka-source/duration.ts'
import { readConfig } from '#main/config.ts'
import { findDomains } from '#main/find-domains.ts'
import { settings } from '#main/settings.ts'
import { quiet } from '../telemetry.ts'
import { isFunction, type Manifest, nameOf, OVERLAYS, ofKind, overlay, parsed } from './overlay.ts'
import { podOf } from './rules/pods.ts'
import { differences, environment, programs, targetOf } from './truth.ts'

const domains = await findDomains()
const overlays = {
  kind: overlay('kind'),
  'kind-network': overlay('kind-network'),
  production: overlay('production'),
}

const one = (name: string, objects: Manifest[] = overlays.kind): Manifest => {
  const found = objects.find((object) => nameOf(object) === name)
  if (!found) throw new Error(`there is no ${name}`)
  return found
}
const containerOf = (name: string) => one(name).spec.template.spec.containers[0]
const variable = (name: string, wanted: string): string =>
  containerOf(name).env.find(({ name }: { name: string }) => name === wanted)?.value

test.each(OVERLAYS)('overlays/%s says what the code says', (name) => {
  expect(differences(overlays[name], domains)).toEqual([])
})

test('a domain without a KafkaSource is missed, with the command that adds it', () => {
  const added = { ...domains[0], name: 'an-added-one', topic: { name: 'an-added-one', partitions: 3 } } as Domain
  expect(differences(overlays.kind, [...domains, added])).toEqual([
    'domain an-added-one has no KafkaSource: run make docs',
  ])
})

test('a KafkaSource without a domain is found', () => {
  expect(differences(overlays.kind, domains.slice(1))).toContain(`KafkaSource ${domains[0]?.name} has no domain`)
})

// biome-ignore lint/suspicious/noExplicitAny: what is changed depends on the kind.
const changed: [name: string, change: (object: any) => void, what: string][] = [
  ['KafkaSource tutorials', ({ spec }) => spec.topics.push('other'), 'KafkaSource tutorials'],
  ['KafkaSource tutorials', ({ spec }) => Object.assign(spec, { consumers: 1 }), 'KafkaSource tutorials'],
  ['KafkaSource tutorials', ({ spec }) => Object.assign(spec, { ordering: 'ordered' }), 'KafkaSource tutorials'],
  ['KafkaSource tutorials', ({ spec }) => Object.assign(spec.delivery, { retry: 10 }), 'KafkaSource tutorials'],
  ['KafkaSource dead-letters', ({ spec }) => spec.bootstrapServers.pop(), 'dead-letters, bootstrapServers'],
  ['KafkaSink dead-letters', ({ spec }) => Object.assign(spec, { topic: 'letters' }), 'KafkaSink: the manifest says'],
  ['Knative Service query', ({ spec }) => rename(spec, 'FUNCTION_TARGET', 'FUNCTION'), 'FUNCTION is no setting'],
  ['Knative Service query', ({ spec }) => give(spec, 'FUNCTION_TARGET', 'publish'), 'query, FUNCTION_TARGET'],
  ['Knative Service query', ({ spec }) => give(spec, 'FUNCTION_TARGET', 'queri'), 'Wrong configuration'],
  ['Job prepare', ({ spec }) => rename(spec, 'MONGODB_URI', 'MONGO_URI'), 'MONGO_URI is no setting'],
  [
    'Knative Service query',
    ({ spec }) => Object.assign(spec.template.spec.containers[0].ports[0], { containerPort: 80 }),
    'query, port',
  ],
  [
    'Knative Service publish-grpc',
    ({ spec }) => Object.assign(spec.template.spec.containers[0].ports[0], { name: 'http1' }),
    'publish-grpc, port',
  ],
]
// biome-ignore lint/suspicious/noExplicitAny: as above.
const entry = (spec: any, name: string) =>
  spec.template.spec.containers[0].env.find((one: { name: string }) => one.name === name)
const rename = (spec: unknown, name: string, other: string) => Object.assign(entry(spec, name), { name: other })
const give = (spec: unknown, name: string, value: string) => Object.assign(entry(spec, name), { value })

test.each(changed)('%s, changed by %s, differs: %s', (name, change, what) => {
  const objects = structuredClone(overlays.kind)
  change(one(name, objects))
  expect(differences(objects, domains)).toContainEqual(expect.stringContaining(what))
})

test('the brokers keep what a topic declares, and are found where clients look', () => {
  const factor = settings.KAFKA_REPLICATION.parse(undefined)
  const declared = settingsOf(deadLetters.name, factor)
  const { spec } = one('StatefulSet kafka')
  expect(spec.replicas).toBe(factor)
  expect(variable('StatefulSet kafka', 'KAFKA_DEFAULT_REPLICATION_FACTOR')).toBe(String(factor))
  expect(variable('StatefulSet kafka', 'KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR')).toBe(String(factor))
  expect(variable('StatefulSet kafka', 'KAFKA_MIN_INSYNC_REPLICAS')).toBe(declared['min.insync.replicas'])
  expect(variable('StatefulSet kafka', 'KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE')).toBe(
    declared['unclean.leader.election.enable'],
  )
  const brokers = Array.from({ length: factor }, (_, n) => `kafka-${n}.kafka.millrace.svc`)
  const env = environment(one('Job prepare'), overlays.kind)
  expect(readConfig(env).KAFKA_BROKERS).toEqual(brokers.map((host) => `${host}:9092`))
  expect(variable('StatefulSet kafka', 'KAFKA_CONTROLLER_QUORUM_VOTERS')).toBe(
    brokers.map((host, n) => `${n}@${host}:9093`).join(),
  )
  expect(variable('StatefulSet kafka', 'KAFKA_ADVERTISED_LISTENERS')).toBe(
    'INSIDE://$(POD_NAME).kafka.millrace.svc:9092,OUTSIDE://localhost:3001$(KAFKA_NODE_ID)',
  )
})

test('kind publishes the ports that Services have on its nodes, and brokers are where they say', () => {
  const [config] = parsed<{ nodes: { extraPortMappings?: { containerPort: number; hostPort: number }[] }[] }>(
    readFileSync('kind-config.yaml', 'utf8'),
  )
  const mapped = config?.nodes.flatMap(({ extraPortMappings = [] }) => extraPortMappings) ?? []
  const ports = ofKind(overlays.kind, 'Service').flatMap(({ spec }) => spec.ports)
  const open = ports.map(({ nodePort }) => nodePort).filter((port) => port)
  expect(mapped.map(({ containerPort }) => containerPort).sort()).toEqual(open.sort())
  const changed = mapped.filter(({ containerPort, hostPort }) => containerPort !== hostPort)
  expect(changed.map(({ hostPort }) => hostPort)).toEqual([settings.PORT.parse(undefined)])
  const brokers = [0, 1, 2].map((n) => one(`Service kafka-${n}`).spec.ports[0].nodePort)
  expect(brokers).toEqual([30010, 30011, 30012])
})

test('the members of the replica set are those that are initiated and that clients are told of', () => {
  const { spec } = one('StatefulSet mongodb')
  const members = Array.from({ length: spec.replicas }, (_, n) => `mongodb-${n}.mongodb.millrace.svc:27017`)
  const set = spec.template.spec.containers[0].args.find((arg: string) => arg.startsWith('--replSet=')).split('=')[1]
  const uri = `mongodb://millrace:<password>@${members.join()}/?replicaSet=${set}`
  expect(readFileSync('knative/README.md', 'utf8')).toContain(uri)
  const script = ofKind(overlays.kind, 'ConfigMap').flatMap(({ data }) => data?.['initiate.js'] ?? [])[0] ?? ''
  const names = members.map((member) => `'${member.split('.')[0]}'`).join(', ')
  expect(script).toContain(`[${names}].map((name) => \`\${name}.mongodb.millrace.svc:27017\`)`)
  expect(script).toContain(`_id: '${set}'`)
  expect(script).toContain(`db: '${settings.MONGODB_DATABASE.parse(undefined)}'`)
})

test.each(OVERLAYS)('overlays/%s runs the version of package.json', (name) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const images = programs(overlays[name]).map(({ spec }) => spec.template.spec.containers[0].image)
  expect(images).toHaveLength(5)
  for (const image of images) expect(image).toMatch(new RegExp(`/millrace:${version}$`))
})

test('the host answers every probe, and gRPC those at its port', async () => {
  const answer = probes({}, () => false, quiet())
  for (const { spec } of overlays.kind.filter(isFunction)) {
    const { readinessProbe, livenessProbe, ports } = spec.template.spec.containers[0]
    for (const { httpGet, grpc } of [readinessProbe, livenessProbe]) {
      if (grpc) expect(grpc.port).toBe(ports[0].containerPort)
      else expect(await answer({ path: httpGet.path } as never)).toMatchObject({ status: 200 })
    }
  }
})

test('deadlines nest: persist holds a delivery for less than its KafkaSource waits, and Knative for no less', () => {
  const { timeout } = deadLetterSource({ persist: '', deadLetters: '' }).delivery
  expect(HOLD_MS).toBeLessThan(milliseconds(timeout))
  expect(one('Knative Service persist').spec.template.spec.timeoutSeconds * 1000).toBeGreaterThanOrEqual(
    milliseconds(timeout),
  )
})

test.each(OVERLAYS)(
  'every function of overlays/%s reads the signing secret, and optionally those of a rotation',
  (name) => {
    const functions = overlays[name].filter(isFunction)
    expect(functions).toHaveLength(4)
    for (const { spec } of functions) {
      expect(entry(spec, 'RECEIPT_SECRET')?.valueFrom).toEqual({ secretKeyRef: { name: 'receipts', key: 'secret' } })
      expect(entry(spec, 'OTHER_SECRETS')?.valueFrom).toEqual({
        secretKeyRef: { name: 'receipts', key: 'other-receipt-secrets', optional: true },
      })
    }
  },
)

test('the gateway takes a body that publish takes, and waits as long as query may stream', () => {
  const routes = domains.flatMap(({ commands }) => Object.values(commands).flatMap(({ routes }) => routes))
  const largest = Math.max(settings.MAX_BODY_BYTES.parse(undefined), ...routes.map(({ maxBytes = 0 }) => maxBytes))
  expect(Number(variable('Deployment gateway', 'MAX_BODY_BYTES'))).toBe(largest)
  const template = readFileSync('knative/components/gateway/nginx.conf.template', 'utf8')
  const seconds = Number(/proxy_read_timeout (\d+)s;/.exec(template)?.[1])
  expect(seconds).toBeGreaterThan(one('Knative Service query').spec.template.spec.timeoutSeconds)
  for (const name of ['query', 'publish', 'publish-grpc']) {
    const host = `${one(`Knative Service ${name}`).metadata.name}.millrace.svc.cluster.local`
    const prefix = targetOf(name).toUpperCase()
    expect(variable('Deployment gateway', `${prefix}_HOST`)).toBe(host)
    expect(variable('Deployment gateway', `${prefix}_SERVER`)).toBe(`${host}:80 resolve`)
  }
})

test.each(OVERLAYS)('README.md of knative/ tells of every Secret of overlays/%s', (name) => {
  const readme = readFileSync('knative/README.md', 'utf8')
  const told = [...readme.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].flatMap(([, secret, keys = '']) =>
    [...keys.matchAll(/`([^`]+)`/g)].map(([, key]) => `${secret} ${key}`),
  )
  const named = JSON.stringify(overlays[name])
  const byKey = [...named.matchAll(/"secretKeyRef":(\{[^}]*\})/g)].map(([, ref = '']) => JSON.parse(ref))
  const byFile = overlays[name]
    .flatMap((object) => podOf(object)?.volumes ?? [])
    .flatMap(({ secret }) => {
      const { secretName, items } = (secret ?? { items: [] }) as { secretName?: string; items: { key: string }[] }
      return items.map(({ key }) => ({ name: secretName, key }))
    })
  const used = [...byKey, ...byFile].map(({ name, key }) => `${name} ${key}`)
  expect(used.length).toBeGreaterThan(4)
  expect(used.filter((secret) => !told.includes(secret))).toEqual([])
})
