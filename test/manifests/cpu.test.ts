import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { built, isFunction, type Manifest, ofKind, overlay, parsed } from './overlay.ts'
import { type PodSpec, podOf } from './rules/pods.ts'

/** What Knative sets aside beside each function for its queue-proxy, unless config-deployment says otherwise. */
const QUEUE_PROXY = 25
/** A dispatcher takes 20 consumers. */
const CONSUMERS_EACH = 20

const objects = overlay('kind')

/** In thousandths of a processor. */
const milli = (cpu = '0'): number => (cpu.endsWith('m') ? Number(cpu.slice(0, -1)) : Number(cpu) * 1000)
const requests = (containers: PodSpec['containers'] = []): number[] =>
  containers.map(({ resources }) => milli(resources?.requests?.cpu))
const sum = (all: number[]): number => all.reduce((total, one) => total + one, 0)

/** The scheduler sets aside what the containers take together, or what one that runs before them takes alone. */
const ofPod = ({ containers, initContainers }: PodSpec): number =>
  Math.max(sum(requests(containers)), ...requests(initContainers))

function replicasOf(object: Manifest): number {
  if (!isFunction(object)) return object.spec.replicas ?? 1
  return Number(object.spec.template.metadata.annotations['autoscaling.knative.dev/min-scale'])
}

const cpuOf = (object: Manifest): number => {
  const pod = podOf(object)
  return pod ? replicasOf(object) * (ofPod(pod) + (isFunction(object) ? QUEUE_PROXY : 0)) : 0
}

const dispatchers = Math.ceil(sum(ofKind(objects, 'KafkaSource').map(({ spec }) => spec.consumers)) / CONSUMERS_EACH)
const [dispatcher] = parsed(built('knative/platform-kind')).filter(({ kind }) => kind === 'StatefulSet') as [Manifest]
const ours = sum(objects.map(cpuOf))
const perDispatcher = ofPod(podOf(dispatcher) as PodSpec)
const theirs = dispatchers * perDispatcher

test('what is set aside on kind leaves a laptop of four processors room for Knative and Kubernetes', () => {
  expect(ours).toBeGreaterThan(0)
  expect(ours + theirs).toBeLessThanOrEqual(2000)
})

test('docs/operations.md says how much that is', () => {
  const page = readFileSync('docs/operations.md', 'utf8')
  expect(page).toContain(`${ours / 1000} CPU`)
  const each = new RegExp(
    `^\\| Each dispatcher, for ${CONSUMERS_EACH} consumers .*\\| ${perDispatcher / 1000} CPU \\|$`,
    'm',
  )
  expect(page).toMatch(each)
})

test('the overlay lowers what is set aside, never what a pod may use', () => {
  const limits = (all: Manifest[]) =>
    all.flatMap(
      (object) => podOf(object)?.containers.map(({ name, resources }) => [name, resources?.limits?.cpu]) ?? [],
    )
  const before = new Map(limits(parsed(built('knative/base'))) as [string, string][])
  for (const [name, cpu] of limits(objects)) if (before.has(String(name))) expect(cpu).toBe(before.get(String(name)))
  expect(before.size).toBeGreaterThan(3)
})
