import { loadImage } from './image.ts'
import { checkTools, createCluster } from './kind-cluster.ts'
import { applyComponents, applyPrograms, deleteJob, selectorOf } from './overlay.ts'
import { installPlatform } from './platform.ts'
import { ensureSecrets } from './secrets.ts'
import { NAMESPACE, type TargetCluster } from './target-cluster.ts'
import { untilReady } from './wait-until-ready.ts'

export interface Step {
  /** The name of the step and of its make target. */
  name: string
  what: string
  run(target: TargetCluster): Promise<void>
}

/** The components of the overlay, in the order in which they may start. */
export const components = {
  settings: ['settings'],
  network: ['network'],
  data: ['kafka', 'mongodb', 'keycloak'],
  prepare: ['prepare'],
  persist: ['persist'],
  sources: ['source'],
  entryPoints: ['publish', 'query', 'gateway'],
}

const FUNCTIONS = 'services.serving.knative.dev'
const SOURCES = 'kafkasources.sources.knative.dev,kafkasinks.eventing.knative.dev'
const WORKLOADS = 'deployments,statefulsets,jobs'

/** The steps of `make deploy`, in order. Each step is safe to repeat. A step that fails is the last. */
export const steps: Step[] = [
  { name: 'tools', what: 'checks that docker, kind and kubectl work', run: checkTools },
  { name: 'cluster', what: 'creates a kind cluster of four nodes', run: createCluster },
  {
    name: 'platform',
    what: 'installs Knative Serving, Kourier, Eventing, KafkaSource and KafkaSink',
    run: installPlatform,
  },
  { name: 'data', what: 'makes Secrets and starts Kafka, MongoDB and Keycloak', run: applyData },
  { name: 'image-load', what: 'builds the image and loads it into every node', run: loadImage },
  { name: 'prepare', what: 'makes topics, collections and indexes', run: prepare },
  { name: 'apply', what: 'starts persist and its sources, then publish, query and the gateway', run: applyFunctions },
  {
    name: 'wait',
    what: 'waits until every part is ready',
    run: (target) => ready(target, 'everything', `${FUNCTIONS},${SOURCES},${WORKLOADS}`),
  },
]

async function applyData(target: TargetCluster): Promise<void> {
  await applyComponents(target, [...components.settings, ...components.network])
  await ensureSecrets(target)
  await deleteJob(target, 'mongodb-initiate')
  await applyComponents(target, components.data)
  await ready(target, 'Kafka, MongoDB and Keycloak', WORKLOADS, components.data)
}

async function prepare(target: TargetCluster): Promise<void> {
  await applyComponents(target, [...components.settings, ...components.network])
  await deleteJob(target, 'prepare')
  await applyPrograms(target, components.prepare)
  await ready(target, 'prepare', 'jobs', components.prepare)
}

/** persist must understand a command before publish accepts it, so persist goes first. */
async function applyFunctions(target: TargetCluster): Promise<void> {
  await applyPrograms(target, [...components.settings, ...components.persist])
  await ready(target, 'persist', FUNCTIONS, components.persist)
  await applyComponents(target, components.sources)
  await ready(target, 'the sources', SOURCES, components.sources)
  await applyPrograms(target, components.entryPoints)
}

const ready = (target: TargetCluster, what: string, kinds: string, components?: string[]): Promise<void> => {
  const selector = components ? selectorOf(components) : 'app.kubernetes.io/part-of=millrace'
  return untilReady(target, what, () => target.list([kinds, '--namespace', NAMESPACE, '--selector', selector]))
}
