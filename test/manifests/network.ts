import { isFunction, type Manifest, ofKind } from './overlay.ts'
import { podOf } from './rules/pods.ts'
import { labelsOf } from './rules/references.ts'

type Labels = Record<string, string>

export interface Selector {
  matchLabels?: Labels
  matchExpressions?: { key: string; operator: string; values: string[] }[]
}

export interface Peer {
  podSelector?: Selector
  namespaceSelector?: Selector
  ipBlock?: { cidr: string; except?: string[] }
}

export interface PolicyRule {
  from?: Peer[]
  to?: Peer[]
  ports?: { protocol: string; port: number | string }[]
}

/** One end of a connection: a pod, or an address outside the cluster. */
export interface End {
  name: string
  namespace?: string
  labels?: Labels
}

export interface Pod extends End {
  namespace: string
  labels: Labels
  /** By name where the manifest gives them one. */
  ports: Map<string, number>
}

const NAMESPACE = 'millrace'
/** The ports of queue-proxy, which Knative puts beside each function: knative.dev/serving, pkg/networking/constants.go. */
const QUEUE_PROXY = { http1: 8012, h2c: 8013, tls: 8112, autoscaler: 9090, metrics: 9091 }
/** Metrics of the target grpc, whose own port speaks gRPC only. */
const GRPC_METRICS = 8081

/** The pods of an overlay, one for each workload. */
export const podsOf = (objects: Manifest[]): Pod[] =>
  objects
    .filter((object) => podOf(object))
    .map((object) => {
      const name = object.metadata.name
      return { name, namespace: NAMESPACE, labels: labelsOf(object)[0] ?? {}, ports: portsOf(object) }
    })

function portsOf(object: Manifest): Map<string, number> {
  const declared: { name: string; containerPort: number }[] = object.spec.template.spec.containers.flatMap(
    ({ ports = [] }: { ports?: [] }) => ports,
  )
  const ports = new Map(declared.map(({ name, containerPort }) => [name, containerPort]))
  if (!isFunction(object)) return ports
  const isGrpc = ports.has('h2c')
  const { http1, h2c, tls, autoscaler, metrics } = QUEUE_PROXY
  for (const port of [isGrpc ? h2c : http1, tls, autoscaler, metrics]) ports.set(`${port}`, port)
  return isGrpc ? ports.set('metrics', GRPC_METRICS) : ports
}

export const policiesOf = (objects: Manifest[]): Manifest[] => ofKind(objects, 'NetworkPolicy')

export function matches({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels = {}): boolean {
  const isMet = ({ key, operator, values }: { key: string; operator: string; values: string[] }) => {
    if (operator !== 'In') throw new Error(`${operator} is not evaluated here`)
    return values.includes(labels[key] ?? '')
  }
  return Object.entries(matchLabels).every(([name, value]) => labels[name] === value) && matchExpressions.every(isMet)
}

/** Whether the policies admit a connection, as Kubernetes defines it: both ends must. */
export function admits(policies: Manifest[], from: End, to: Pod, port: number): boolean {
  const incoming = rulesFor(policies, 'Ingress', to)
  const outgoing = from.namespace === NAMESPACE ? rulesFor(policies, 'Egress', from) : undefined
  const isOpen = (rules: PolicyRule[] | undefined, end: End, peers: 'from' | 'to') =>
    rules === undefined || rules.some((rule) => hasPort(rule, to, port) && hasPeer(rule[peers], end))
  return isOpen(incoming, from, 'from') && isOpen(outgoing, to, 'to')
}

/** Undefined where no policy selects the pod: then everything is admitted. */
function rulesFor(policies: Manifest[], type: 'Ingress' | 'Egress', pod: End): PolicyRule[] | undefined {
  const selecting = policies.filter(
    ({ spec }) => spec.policyTypes.includes(type) && matches(spec.podSelector, pod.labels),
  )
  if (selecting.length === 0) return undefined
  return selecting.flatMap(({ spec }) => spec[type.toLowerCase()] ?? [])
}

const hasPort = ({ ports }: PolicyRule, to: Pod, port: number): boolean =>
  ports === undefined ||
  ports.some((one) => (typeof one.port === 'string' ? to.ports.get(one.port) : one.port) === port)

/** An ipBlock stands for what is outside the cluster: the rule that it excludes the pods is checked by itself. */
function hasPeer(peers: Peer[] | undefined, { namespace, labels }: End): boolean {
  if (peers === undefined) return true
  return peers.some(({ ipBlock, namespaceSelector, podSelector = {} }) => {
    if (ipBlock) return namespace === undefined
    if (namespace === undefined) return false
    const isThere = namespaceSelector
      ? matches(namespaceSelector, { 'kubernetes.io/metadata.name': namespace })
      : namespace === NAMESPACE
    return isThere && matches(podSelector, labels)
  })
}
