import { matches, type Peer, type Pod, type PolicyRule, podsOf, policiesOf, type Selector } from '../network.ts'
import { type Manifest, nameOf } from '../overlay.ts'

const DNS = 53

/** What Kubernetes accepts in a NetworkPolicy without a word, although it admits too much or too little. */
export function networkViolations(objects: Manifest[]): string[] {
  const policies = policiesOf(objects)
  if (policies.length === 0) return []
  const pods = podsOf(objects)
  const each = policies.flatMap((policy) =>
    [...wrongLabels(policy, pods), ...wrongPorts(policy, pods)].map((what) => `${nameOf(policy)}: ${what}`),
  )
  return [...each, ...openPods(objects, policies)]
}

/** A label that no workload has selects nothing: the policy would protect nobody, or admit nobody. */
function wrongLabels({ spec }: Manifest, pods: Pod[]): string[] {
  const own = rulesOf(spec)
    .flatMap(({ from = [], to = [] }) => [...from, ...to])
    .filter(isOurs)
  const selectors: Selector[] = [spec.podSelector, ...own.map(({ podSelector = {} }) => podSelector)]
  return selectors
    .flatMap(alternatives)
    .filter((labels) => !pods.some((pod) => matches({ matchLabels: labels }, pod.labels)))
    .map((labels) => `no pod has the labels ${JSON.stringify(labels)}`)
}

/** A selector with a list of values, as one set of labels for each. */
const alternatives = ({ matchLabels = {}, matchExpressions = [] }: Selector): Record<string, string>[] =>
  matchExpressions.reduce(
    (sets, { key, values }) => sets.flatMap((set) => values.map((value) => ({ ...set, [key]: value }))),
    [matchLabels],
  )

const isOurs = ({ namespaceSelector, ipBlock }: Peer): boolean => !namespaceSelector && !ipBlock

const rulesOf = ({ ingress = [], egress = [] }: { ingress?: PolicyRule[]; egress?: PolicyRule[] }): PolicyRule[] => [
  ...ingress,
  ...egress,
]

/** A port must be one of every pod that is connected to. */
function wrongPorts({ spec }: Manifest, pods: Pod[]): string[] {
  const {
    podSelector,
    ingress = [],
    egress = [],
  }: { podSelector: Selector; ingress?: PolicyRule[]; egress?: PolicyRule[] } = spec
  const selected = (selectors: Selector[]) =>
    pods.filter(({ labels }) => selectors.some((selector) => matches(selector, labels)))
  const incoming = ingress.flatMap((rule) => unknownPorts(rule, selected([podSelector])))
  const outgoing = egress.flatMap((rule) => {
    const targets = (rule.to ?? []).filter(isOurs).map(({ podSelector = {} }) => podSelector)
    return unknownPorts(rule, selected(targets))
  })
  return [...incoming, ...outgoing]
}

function unknownPorts({ ports, to }: PolicyRule, pods: Pod[]): string[] {
  if (!ports) return ['admits every port']
  const isOf = (port: number | string, pod: Pod) =>
    typeof port === 'string' ? pod.ports.has(port) : [...pod.ports.values()].includes(port)
  return ports
    .filter(({ port }) => !(port === DNS && to === undefined))
    .flatMap(({ port }) => pods.filter((pod) => !isOf(port, pod)).map(({ name }) => `${port} is no port of ${name}`))
}

/** Where there are policies, every workload that listens has one of its own beside the one that closes the namespace. */
function openPods(objects: Manifest[], policies: Manifest[]): string[] {
  const closing = policies.filter(
    ({ spec }) => isEmpty(spec.podSelector) && spec.policyTypes.includes('Ingress') && !spec.ingress,
  )
  const own = policies.filter(({ spec }) => !isEmpty(spec.podSelector) && spec.policyTypes.includes('Ingress'))
  const open = podsOf(objects)
    .filter(({ ports }) => ports.size > 0)
    .filter(({ labels }) => !own.some(({ spec }) => matches(spec.podSelector, labels)))
  return [
    ...(closing.length === 1 ? [] : [`${closing.length} NetworkPolicies close the namespace, not 1`]),
    ...open.map(({ name }) => `${name} has no NetworkPolicy`),
  ]
}

const isEmpty = (selector: Selector): boolean => Object.keys(selector).length === 0
