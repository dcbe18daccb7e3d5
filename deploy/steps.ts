import { checkTools, createCluster } from './cluster.ts'
import { loadImage } from './image.ts'
import { applyComponents, applyPrograms, deleteJob, selectorOf } from './overlay.ts'
import { installPlatform } from './platform.ts'
import { ensureSecrets } from './secrets.ts'
import { untilReady } from './wait.ts'
import { NAMESPACE, type World } from './world.ts'

export interface Step {
  /** Also the name of its make target. */
  name: string
  what: string
  run(world: World): Promise<void>
}

/** The components of the overlay, in the order in which they may come up. */
export const parts = {
  settings: ['settings'],
  network: ['network'],
  data: ['kafka', 'mongodb', 'keycloak'],
  prepare: ['prepare'],
  persist: ['persist'],
  sources: ['source'],
  doors: ['publish', 'query', 'gateway'],
}

const FUNCTIONS = 'services.serving.knative.dev'
const SOURCES = 'kafkasources.sources.knative.dev,kafkasinks.eventing.knative.dev'
const WORKLOADS = 'deployments,statefulsets,jobs'

/** `make deploy`, in order. Each step is safe to repeat, and a step that fails is the last. */
export const steps: Step[] = [
  { name: 'tools', what: 'docker, kind and kubectl are there', run: checkTools },
  { name: 'cluster', what: 'a kind cluster of four nodes', run: createCluster },
  { name: 'platform', what: 'Knative Serving, Kourier, Eventing, KafkaSource and KafkaSink', run: installPlatform },
  { name: 'data', what: 'Secrets, Kafka, MongoDB and Keycloak', run: applyData },
  { name: 'image-load', what: 'the image, built and on every node', run: loadImage },
  { name: 'prepare', what: 'topics, collections and indexes', run: prepare },
  { name: 'apply', what: 'persist and its sources, then publish, query and the gateway', run: applyFunctions },
  {
    name: 'wait',
    what: 'every part is ready',
    run: (world) => ready(world, 'everything', `${FUNCTIONS},${SOURCES},${WORKLOADS}`),
  },
]

async function applyData(world: World): Promise<void> {
  await applyComponents(world, [...parts.settings, ...parts.network])
  await ensureSecrets(world)
  await deleteJob(world, 'mongodb-initiate')
  await applyComponents(world, parts.data)
  await ready(world, 'Kafka, MongoDB and Keycloak', WORKLOADS, parts.data)
}

async function prepare(world: World): Promise<void> {
  await applyComponents(world, [...parts.settings, ...parts.network])
  await deleteJob(world, 'prepare')
  await applyPrograms(world, parts.prepare)
  await ready(world, 'prepare', 'jobs', parts.prepare)
}

/** persist must understand a command before anybody can publish it. */
async function applyFunctions(world: World): Promise<void> {
  await applyPrograms(world, [...parts.settings, ...parts.persist])
  await ready(world, 'persist', FUNCTIONS, parts.persist)
  await applyComponents(world, parts.sources)
  await ready(world, 'the sources', SOURCES, parts.sources)
  await applyPrograms(world, parts.doors)
}

const ready = (world: World, what: string, kinds: string, components?: string[]): Promise<void> => {
  const selector = components ? selectorOf(components) : 'app.kubernetes.io/part-of=millrace'
  return untilReady(world, what, () => world.list([kinds, '--namespace', NAMESPACE, '--selector', selector]))
}
