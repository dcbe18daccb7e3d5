import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { admits, type End, type Peer, type PolicyRule, podsOf, policiesOf } from './network.ts'
import { type Manifest, nameOf, overlay, parsed } from './overlay.ts'

const overlays = { 'kind-network': overlay('kind-network'), production: overlay('production') }

/** Everybody who might connect and is not of the namespace. */
const others: End[] = [
  { name: 'kourier', namespace: 'kourier-system', labels: { app: '3scale-kourier-gateway' } },
  { name: 'activator', namespace: 'knative-serving', labels: { app: 'activator', role: 'activator' } },
  { name: 'autoscaler', namespace: 'knative-serving', labels: { app: 'autoscaler' } },
  { name: 'dispatcher', namespace: 'knative-eventing', labels: { app: 'kafka-source-dispatcher' } },
  { name: 'sink-receiver', namespace: 'knative-eventing', labels: { app: 'kafka-sink-receiver' } },
  { name: 'kafka-controller', namespace: 'knative-eventing', labels: { app: 'kafka-controller' } },
  { name: 'prometheus', namespace: 'monitoring', labels: { 'app.kubernetes.io/name': 'prometheus' } },
  { name: 'a pod of the namespace', namespace: 'millrace', labels: { app: 'shell' } },
  { name: 'a pod elsewhere', namespace: 'default', labels: { app: 'activator' } },
  { name: 'outside' },
]

/** Ports that a pod of any kind may have open: ours, queue-proxy's, and one that nobody names. */
const PORTS = [8012, 8013, 8022, 8080, 8081, 8112, 9000, 9090, 9091, 9092, 9093, 9094, 6379, 27017, 50051, 4444]

/** Who can connect to each pod and port, by the policies of an overlay. */
function reached(objects: Manifest[]): Record<string, string[]> {
  const pods = podsOf(objects)
  const policies = policiesOf(objects)
  const found = pods.flatMap((to) =>
    PORTS.flatMap((port) => {
      const from = [...pods, ...others].filter((end) => admits(policies, end, to, port)).map(({ name }) => name)
      return from.length === 0 ? [] : [[`${to.name} ${port}`, from.sort()] as const]
    }),
  )
  return Object.fromEntries(found)
}

const ingress = ['activator', 'kourier']
const functions = Object.fromEntries(
  ['persist', 'publish', 'query', 'publish-grpc'].flatMap((name) => {
    const [proxy, metrics] = name === 'publish-grpc' ? [8013, 8081] : [8012, 8080]
    return [
      [`${name} ${proxy}`, ingress],
      [`${name} 8112`, ingress],
      [`${name} ${metrics}`, ['prometheus']],
      [`${name} 9090`, ['autoscaler']],
      [`${name} 9091`, ['prometheus']],
    ]
  }),
)
/** The stores connect to nobody but their own kind. */
const everybody = (objects: Manifest[]): string[] =>
  [...podsOf(objects), ...others]
    .map(({ name }) => name)
    .filter((name) => !['kafka', 'mongodb'].includes(name))
    .sort()
const gateway = (objects: Manifest[]) => ({ 'gateway 8080': everybody(objects), 'gateway 50051': everybody(objects) })

test('in production the dispatcher reaches persist by way of Kourier or the activator, and nobody else does', () => {
  expect(reached(overlays.production)).toEqual({ ...functions, ...gateway(overlays.production) })
})

test('on kind with policies, each store is reached by the programs that use it', () => {
  const eventing = ['dispatcher', 'kafka-controller', 'sink-receiver']
  expect(reached(overlays['kind-network'])).toEqual({
    ...functions,
    ...gateway(overlays['kind-network']),
    'kafka 9092': [...eventing, 'kafka', 'prepare', 'publish', 'publish-grpc'].sort(),
    'kafka 9093': ['kafka'],
    'kafka 9094': ['outside'],
    'mongodb 27017': ['mongodb', 'mongodb-initiate', 'persist', 'prepare', 'publish', 'publish-grpc', 'query'],
    'keycloak 8080': ['outside', 'publish', 'publish-grpc', 'query'],
  })
})

test('without policies everybody reaches persist, so the tests above do not pass by accident', () => {
  const without = overlays.production.filter(({ kind }) => kind !== 'NetworkPolicy')
  expect(reached(without)['persist 8080']).toEqual([...podsOf(without), ...others].map(({ name }) => name).sort())
})

test('an address block that stands for the outside leaves the pods of kind out', () => {
  const [config] = parsed<{ networking: { podSubnet: string } }>(readFileSync('kind-config.yaml', 'utf8'))
  const peers = policiesOf(overlays['kind-network']).flatMap(({ spec }) =>
    (spec.ingress ?? []).flatMap(({ from = [] }: PolicyRule) => from),
  )
  const blocks = peers.flatMap(({ ipBlock }: Peer) => ipBlock ?? [])
  expect(blocks.length).toBeGreaterThan(0)
  for (const block of blocks) expect(block).toEqual({ cidr: '0.0.0.0/0', except: [config?.networking.podSubnet] })
})

test('persist is local to the cluster: no ingress has a name for it outside', () => {
  for (const objects of Object.values(overlays)) {
    const persist = objects.find((object) => nameOf(object) === 'Knative Service persist')
    expect(persist?.metadata.labels?.['networking.knative.dev/visibility']).toBe('cluster-local')
  }
})
