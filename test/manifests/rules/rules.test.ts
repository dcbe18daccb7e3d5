import { expect, test } from 'vitest'
import { type Manifest, nameOf, OVERLAYS, overlay } from '../overlay.ts'
import { knativeViolations, poolViolations } from './knative.ts'
import { networkViolations } from './network.ts'
import { podViolations } from './pods.ts'
import { referenceViolations } from './references.ts'
import { secretViolations } from './secrets.ts'

const violations = (objects: Manifest[]): string[] => [
  ...objects.flatMap((object) => [...podViolations(object), ...secretViolations(object), ...knativeViolations(object)]),
  ...referenceViolations(objects),
  ...poolViolations(objects),
  ...networkViolations(objects),
]

const overlays = {
  kind: overlay('kind'),
  'kind-network': overlay('kind-network'),
  production: overlay('production'),
}

test.each(OVERLAYS)('overlays/%s keeps the rules', (name) => {
  expect(violations(overlays[name])).toEqual([])
})

// biome-ignore lint/suspicious/noExplicitAny: what is spoiled depends on the kind.
type Spoil = (spec: any, object: any) => void

const container = (name: string, spoil: (container: Record<string, never>) => void): Spoil => {
  return (spec) =>
    spoil(
      [...(spec.template.spec.initContainers ?? []), ...spec.template.spec.containers].find((one) => one.name === name),
    )
}
const set = (values: object): ((target: object) => void) => {
  return (target) => void Object.assign(target, values)
}
const right = (values: object): ((target: { securityContext?: object }) => void) => {
  return (target) => void Object.assign(target.securityContext as object, values)
}
const pod =
  (values: object): Spoil =>
  (spec) =>
    void Object.assign(spec.template.spec, values)
const delivery =
  (values: object): Spoil =>
  (spec) =>
    void Object.assign(spec.delivery, values)
const annotation = (name: string, value?: string): Spoil => {
  return (spec) =>
    void Object.assign(spec.template.metadata.annotations, { [`autoscaling.knative.dev/${name}`]: value })
}

/** An object of overlays/kind-network, what is done to it, and what is then wrong with the overlay. */
const broken: [name: string, spoil: Spoil, what: string][] = [
  ['Knative Service publish', container('publish', right({ runAsNonRoot: false })), 'publish may run as root'],
  ['Knative Service publish', container('publish', right({ runAsUser: 0 })), 'publish may run as root'],
  ['StatefulSet kafka', pod({ securityContext: {} }), 'kafka may run as root'],
  ['StatefulSet mongodb', container('keyfile', right({ allowPrivilegeEscalation: true })), 'keyfile may gain rights'],
  ['Deployment gateway', container('gateway', right({ readOnlyRootFilesystem: false })), 'gateway may write its root'],
  ['Deployment gateway', container('gateway', right({ capabilities: { drop: [] } })), 'gateway keeps capabilities'],
  [
    'Deployment gateway',
    container('gateway', right({ capabilities: { drop: ['ALL'], add: ['NET_RAW'] } })),
    'keeps capab',
  ],
  ['Job prepare', pod({ securityContext: { runAsNonRoot: true, runAsUser: 1 } }), 'prepare may make any system call'],
  ['Deployment gateway', pod({ hostNetwork: true }), "shares what is the node's"],
  ['Deployment gateway', pod({ volumes: [{ name: 'tmp', hostPath: { path: '/' } }] }), "mounts what is the node's"],
  ['StatefulSet kafka', pod({ enableServiceLinks: undefined }), 'takes the names of Services as variables'],
  [
    'Job prepare',
    container('prepare', set({ resources: { requests: { cpu: '1', memory: '1Gi' } } })),
    'no limit of cpu',
  ],
  ['Knative Service query', container('query', set({ resources: { limits: { cpu: '1' } } })), 'no limit of memory'],
  ['Knative Service query', container('query', set({ livenessProbe: undefined })), 'query is not asked whether'],
  ['StatefulSet mongodb', container('mongodb', set({ readinessProbe: undefined })), 'mongodb is not asked whether'],
  ['Deployment gateway', container('gateway', set({ image: 'nginx:latest' })), 'gateway has no pinned image'],
  ['Deployment gateway', container('gateway', set({ image: 'nginx' })), 'gateway has no pinned image'],
  [
    'StatefulSet kafka',
    container('kafka', set({ env: [{ name: 'KAFKA_PASSWORD', value: 'x' }] })),
    'KAFKA_PASSWORD is in',
  ],
  [
    'Job prepare',
    container('prepare', set({ env: [{ name: 'MONGODB_URI', value: 'mongodb://a:b@c/' }] })),
    'MONGODB_URI is',
  ],
  [
    'Knative Service query',
    container('query', set({ env: [{ name: 'OTHER_SECRETS', value: 'x' }] })),
    'OTHER_SECRETS is in clear',
  ],
  ['ServiceAccount keycloak', (_, object) => Object.assign(object, { kind: 'Secret' }), 'a Secret is not kept here'],
  [
    'ServiceAccount keycloak',
    (_, object) => Object.assign(object, { automountServiceAccountToken: undefined }),
    'brings a token',
  ],
  ['Job prepare', pod({ serviceAccountName: 'default' }), 'ServiceAccount default, which is not there'],
  ['Job prepare', pod({ serviceAccountName: undefined }), 'has no ServiceAccount'],
  ['KafkaSource tutorials', delivery({ retry: '1000' }), 'retry is 1000'],
  ['KafkaSource tutorials', delivery({ retry: undefined }), 'retry is undefined'],
  ['KafkaSource tutorials', delivery({ backoffPolicy: 'quadratic' }), 'backoffPolicy is quadratic'],
  ['KafkaSource tutorials', delivery({ backoffDelay: '1s' }), 'backoffDelay is 1s'],
  ['KafkaSource tutorials', delivery({ timeout: 'PT0S' }), 'timeout is PT0S'],
  ['KafkaSource tutorials', delivery({ deadLetterSink: undefined }), 'has no deadLetterSink'],
  ['KafkaSource tutorials', (spec) => delete spec.delivery, 'retry is undefined'],
  ['KafkaSource tutorials', set({ ordering: 'Unordered' }), 'ordering is Unordered'],
  ['KafkaSource tutorials', set({ initialOffset: undefined }), 'initialOffset is undefined'],
  ['KafkaSource tutorials', set({ consumerGroup: undefined }), 'has no consumerGroup'],
  ['KafkaSource tutorials', set({ consumers: 0 }), 'consumers is 0'],
  ['KafkaSource tutorials', (spec) => set({ name: 'kind-persist' })(spec.sink.ref), 'sends to Service kind-persist'],
  ['KafkaSource tutorials', (spec) => set({ apiVersion: 'v1' })(spec.sink.ref), 'sends to Service persist'],
  [
    'KafkaSink dead-letters',
    (_, object) => set({ name: 'letters' })(object.metadata),
    'sends to KafkaSink dead-letters',
  ],
  ['Knative Service persist', annotation('min-scale', 'one'), 'min-scale is one'],
  ['Knative Service persist', annotation('min-scale', '0'), 'min-scale is 0'],
  ['Knative Service persist', annotation('max-scale', '0'), 'max-scale is 0'],
  ['Knative Service persist', annotation('max-scale'), 'max-scale is undefined'],
  ['Knative Service persist', annotation('minScale', '1'), 'minScale is not known'],
  ['Knative Service persist', annotation('target', 'many'), 'target is many'],
  ['Knative Service publish', annotation('target-burst-capacity'), 'target-burst-capacity is undefined'],
  ['Knative Service publish', annotation('target-burst-capacity', '-1'), 'target-burst-capacity is -1'],
  ['Knative Service persist', pod({ containerConcurrency: -1 }), 'containerConcurrency is -1'],
  ['Knative Service query', pod({ timeoutSeconds: 601 }), 'timeoutSeconds is 601'],
  ['Knative Service query', annotation('max-scale', '50'), 'connections to MongoDB may be asked for'],
  [
    'ConfigMap settings',
    (_, object) => set({ MONGODB_POOL: '100' })(object.data),
    'connections to MongoDB may be asked',
  ],
  ['ConfigMap settings', (_, object) => set({ name: 'other' })(object.metadata), 'reads ConfigMap settings'],
  ['PodDisruptionBudget kafka', (spec) => set({ matchLabels: { app: 'kafka' } })(spec.selector), 'selects no pod'],
  [
    'Service kafka-0',
    (spec) => set({ 'statefulset.kubernetes.io/pod-name': 'kafka-3' })(spec.selector),
    'selects no pod',
  ],
  [
    'NetworkPolicy keycloak',
    (spec) => set({ matchLabels: { app: 'keycloak' } })(spec.podSelector),
    'NetworkPolicy keycloak: no pod has the labels {"app":"keycloak"}',
  ],
  ['NetworkPolicy keycloak', (spec) => spec.ingress.push({ from: [] }), 'admits every port'],
  [
    'NetworkPolicy keycloak',
    (_, object) => Object.assign(object, { kind: 'ConfigMap' }),
    'keycloak has no NetworkPolicy',
  ],
  [
    'NetworkPolicy mongodb',
    (spec) => spec.ingress[0].from[3].podSelector.matchExpressions[0].values.push('audit'),
    'no pod has the labels {"serving.knative.dev/service":"audit"}',
  ],
  ['NetworkPolicy mongodb', (spec) => set({ port: 27018 })(spec.ingress[0].ports[0]), '27018 is no port of mongodb'],
  ['NetworkPolicy kafka', (spec) => set({ port: 'inner' })(spec.egress[0].ports[0]), 'inner is no port of kafka'],
  ['NetworkPolicy persist', (spec) => set({ port: 8013 })(spec.ingress[0].ports[0]), '8013 is no port of persist'],
  ['NetworkPolicy closed', (spec) => spec.policyTypes.splice(0, 1, 'Egress'), 'close the namespace, not 1'],
  ['Service keycloak', (_, object) => set({ labels: {} })(object.metadata), 'has no component'],
  ['Service keycloak', (_, object) => set({ namespace: 'default' })(object.metadata), 'is in the namespace default'],
]

test.each(broken)('%s, spoiled by %s, is refused: %s', (name, spoil, what) => {
  const objects = structuredClone(overlays['kind-network'])
  const object = objects.find((one) => nameOf(one).replace(/^(ConfigMap \w+)-\w+$/, '$1') === name)
  if (!object) throw new Error(`there is no ${name}`)
  spoil(object.spec, object)
  expect(violations(objects)).toContainEqual(expect.stringContaining(what))
})
