import { deadLetterSource, deadLetters, sourceOf } from '#core/kafka-source-policy.ts'
import type { Domain } from '#domains/domain.ts'

const SINKS = { persist: 'persist', deadLetters: deadLetters.name }

/** The manifests in knative/sources by file name: a KafkaSource for each domain, the error topic, and the list of them all. */
export function sourceManifests(domains: Domain[], brokers: string[]): { [name: string]: string } {
  const sources = domains.map((domain) => sourceOf(domain, SINKS))
  const names = [...sources, deadLetters].map(({ name }) => `${name}.yaml`)
  return {
    'kustomization.yaml': kustomization(names),
    ...Object.fromEntries(
      sources.map((source) => [`${source.name}.yaml`, GENERATED + sourceManifest(source, brokers)]),
    ),
    [`${deadLetters.name}.yaml`]: `${GENERATED}${sinkManifest(brokers)}---
# The KafkaSource that reads the error topic back into the list of letters, for records that an outage of days pushed there. They
# return in their order.
${sourceManifest(deadLetterSource(SINKS), brokers)}`,
  }
}

const GENERATED = '# Generated from the domains: run `make docs`.\n'

const kustomization = (files: string[]): string => `${GENERATED}apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
${files.map((file) => `  - ${scalar(file)}\n`).join('')}`

const sourceManifest = (source: ReturnType<typeof sourceOf>, brokers: string[]): string => {
  const { name, topic, group, consumers, ordering, initialOffset, delivery, sink } = source
  return `apiVersion: sources.knative.dev/v1
kind: KafkaSource
metadata:
  name: ${scalar(name)}
  labels:
    app.kubernetes.io/component: source
spec:
  bootstrapServers:
${bootstrapServers(brokers)}
  topics: [${scalar(topic)}]
  consumerGroup: ${group}
  consumers: ${consumers}
  initialOffset: ${initialOffset}
  ordering: ${ordering}
  # Every field is set, because a partial delivery disables the defaults.
  delivery:
    retry: ${delivery.retry}
    backoffPolicy: ${delivery.backoffPolicy}
    backoffDelay: ${delivery.backoffDelay}
    timeout: ${delivery.timeout}
    deadLetterSink:
      ref:
        apiVersion: eventing.knative.dev/v1alpha1
        kind: KafkaSink
        name: ${delivery.deadLetterSink}
  sink:
    ref:
      apiVersion: serving.knative.dev/v1
      kind: Service
      name: ${sink}
`
}

const sinkManifest = (
  brokers: string[],
): string => `# The KafkaSink of the error topic. Every KafkaSource sends it the records that it gives up; persist's letters are copied here.
apiVersion: eventing.knative.dev/v1alpha1
kind: KafkaSink
metadata:
  name: ${deadLetters.name}
  labels:
    app.kubernetes.io/component: source
spec:
  bootstrapServers:
${bootstrapServers(brokers)}
  topic: ${deadLetters.name}
  contentMode: binary
`

const bootstrapServers = (brokers: string[]): string => brokers.map((broker) => `    - ${broker}`).join('\n')

/** A text of YAML. It is quoted if YAML reads it as a number, a truth value or null. */
const scalar = (text: string): string =>
  /^[A-Za-z][\w.-]*$/.test(text) && !/^(true|false|yes|no|on|off|y|n|null)$/i.test(text) ? text : JSON.stringify(text)
