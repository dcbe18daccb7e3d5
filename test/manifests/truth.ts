import { deadLetterSource, deadLetters, sourceOf } from '#core/kafka-source-policy.ts'
import type { Domain } from '#domains/domain.ts'
import { readConfig } from '#main/config.ts'
import { settings } from '#main/settings.ts'
import { isFunction, type Manifest, nameOf, ofKind } from './overlay.ts'
import { containersOf, podOf } from './rules/pods.ts'

/** Stands where a manifest takes a value out of a Secret. */
const FROM_SECRET: Record<string, string> = {
  MONGODB_URI: 'mongodb://out-of-a-secret',
  RECEIPT_SECRET: 'out of a secret that is long as it has to be',
  OTHER_SECRETS: 'another one out of a secret that is as long',
  KAFKA_SASL: 'SCRAM-SHA-512',
}

/** How the manifests differ from the code, in words. */
export const differences = (objects: Manifest[], domains: Domain[]): string[] => [
  ...sourceDifferences(objects, domains),
  ...brokerDifferences(objects),
  ...programs(objects).flatMap((object) => programDifferences(object, objects)),
]

/** The objects that run our image. */
export const programs = (objects: Manifest[]): Manifest[] =>
  objects.filter((object) => isFunction(object) || nameOf(object) === 'Job prepare')

function sourceDifferences(objects: Manifest[], domains: Domain[]): string[] {
  const sinks = { persist: 'Service persist', deadLetters: 'KafkaSink dead-letters' }
  const wanted = [...domains.map((domain) => sourceOf(domain, sinks)), deadLetterSource(sinks)]
  const found = ofKind(objects, 'KafkaSource').map(inOurWords)
  const missing = wanted.filter(({ name }) => !found.some((source) => source.name === name))
  const topics = ofKind(objects, 'KafkaSink').map(({ spec }) => spec.topic)
  return [
    ...missing.map(({ name }) => `domain ${name} has no KafkaSource: run make docs`),
    ...found.flatMap((source) => {
      const code = wanted.find(({ name }) => name === source.name)
      return code ? unequal(`KafkaSource ${source.name}`, source, code) : [`KafkaSource ${source.name} has no domain`]
    }),
    ...unequal('KafkaSink', topics, [deadLetters.name]),
  ]
}

const inOurWords = ({ metadata, spec }: Manifest) => ({
  name: metadata.name,
  namespace: metadata.namespace,
  topic: spec.topics.join(),
  group: spec.consumerGroup,
  consumers: spec.consumers,
  ordering: spec.ordering,
  initialOffset: spec.initialOffset,
  delivery: { ...spec.delivery, deadLetterSink: sinkOf(spec.delivery?.deadLetterSink) },
  sink: sinkOf(spec.sink),
})

const sinkOf = (sink?: { ref: { kind: string; name: string } }) => sink && `${sink.ref.kind} ${sink.ref.name}`

/** What goes to Kafka goes to the same brokers. */
function brokerDifferences(objects: Manifest[]): string[] {
  const brokers = environment(programs(objects)[0] as Manifest, objects).KAFKA_BROKERS?.split(',')
  return [...ofKind(objects, 'KafkaSource'), ...ofKind(objects, 'KafkaSink')].flatMap((object) =>
    unequal(`${nameOf(object)}, bootstrapServers`, object.spec.bootstrapServers, brokers),
  )
}

/** What a service runs that has this name: publish-grpc is publish, over gRPC. */
export const targetOf = (service: string): string => service.replace(/^publish-/, '')

function programDifferences(object: Manifest, objects: Manifest[]): string[] {
  const env = environment(object, objects)
  const [container] = object.spec.template.spec.containers
  const unknown = Object.keys(env).filter((name) => !(name in settings))
  const found = unknown.map((name) => `${nameOf(object)}: ${name} is no setting`)
  try {
    const config = readConfig(env)
    const target = targetOf(object.metadata.name)
    found.push(...unequal(`${nameOf(object)}, FUNCTION_TARGET`, config.FUNCTION_TARGET, target))
    found.push(...unequal(`${nameOf(object)}, LOG and STORE`, [config.LOG, config.STORE], ['kafka', 'mongodb']))
    if (isFunction(object)) {
      const port = { containerPort: config.PORT, name: target === 'grpc' ? 'h2c' : 'http1' }
      found.push(...unequal(`${nameOf(object)}, port`, container.ports[0], port))
    }
  } catch (error) {
    found.push(`${nameOf(object)}: ${(error as Error).message}`)
  }
  return found
}

/** As the process gets it; PORT comes of Knative. A file that a Secret brings can't be read here. */
export function environment(object: Manifest, objects: Manifest[]): Record<string, string> {
  const { envFrom = [], env = [] } = containersOf(podOf(object) as never)[0] as never as Variables
  const maps = envFrom.map(
    ({ configMapRef }) => ofKind(objects, 'ConfigMap').find(isNamed(configMapRef.name))?.data ?? {},
  )
  const own = env.map(({ name, value }) => [name, value ?? FROM_SECRET[name] ?? 'out of a secret'])
  return Object.assign({}, ...maps, Object.fromEntries(own))
}

interface Variables {
  envFrom?: { configMapRef: { name: string } }[]
  env?: { name: string; value?: string }[]
}

const isNamed = (name: string) => (object: Manifest) => object.metadata.name === name

export function unequal(what: string, manifest: unknown, code: unknown): string[] {
  const [here, there] = [manifest, code].map((value) => JSON.stringify(sorted(value)))
  return here === there ? [] : [`${what}: the manifest says ${here}, the code ${there}`]
}

const sorted = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort()
          .map(([name, inner]) => [name, sorted(inner)]),
      )
    : value
