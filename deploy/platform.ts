import { isDeepStrictEqual } from 'node:util'
import { systemClock } from '#core/clock.ts'
import { retry } from '#core/retry.ts'
import { pinned, type Release } from './versions.ts'
import { untilReady } from './wait.ts'
import type { World } from './world.ts'

/** What is installed, in this order, and where it lives: all of it must run before the next one comes. */
const PLATFORM = [
  { name: 'serving', namespaces: ['knative-serving'] },
  { name: 'kourier', namespaces: ['knative-serving', 'kourier-system'] },
  { name: 'eventing', namespaces: ['knative-eventing'] },
  { name: 'kafka', namespaces: ['knative-eventing'] },
]

/** Knative Serving with Kourier, Knative Eventing, KafkaSource and KafkaSink, with their settings. */
export async function installPlatform(world: World): Promise<void> {
  // All of it is at hand before anything is changed.
  for (const { name } of PLATFORM) {
    const release = releaseOf(world, name)
    for (const file of Object.keys(release.files)) await pinned(release, file, world.settings.DOWNLOADS)
  }
  for (const { name, namespaces } of PLATFORM) {
    await installRelease(world, name)
    await untilReady(world, name, async () => {
      const lists = namespaces.map((namespace) => world.list(['deployments', '--namespace', namespace]))
      return (await Promise.all(lists)).flat()
    })
  }
  await configure(world)
}

function releaseOf({ versions, settings }: World, name: string): Release {
  const release = versions.releases[name]
  if (!release) throw new Error(`${settings.VERSIONS} has no ${name}`)
  return release
}

/** Applies the files of a release, unless the cluster has just these already. */
export async function installRelease(world: World, name: string): Promise<void> {
  const release = releaseOf(world, name)
  if (isDeepStrictEqual(await recorded(world, name), release.files)) {
    return world.say(`  ${name} ${release.version} is there`)
  }
  for (const file of Object.keys(release.files)) {
    const path = await pinned(release, file, world.settings.DOWNLOADS)
    await insist(() => world.kubectl(['apply', '--server-side', '--force-conflicts', '--filename', path]))
    await world.kubectl(['wait', '--for=condition=Established', 'crd', '--all', `--timeout=${world.settings.LIMIT}s`])
    world.say(`  ${file} ${release.version} applied`)
  }
  const metadata = { name: recordOf(name), namespace: 'default' }
  const record = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: release.files }
  await world.kubectl(['apply', '--filename', '-'], { input: JSON.stringify(record) })
}

const configMap = (name: string, namespace: string) => ['configmap', name, '--namespace', namespace]

/** Which files of a release were applied, by checksum. */
async function recorded({ kubectl }: World, name: string): Promise<unknown> {
  const json = await kubectl(['get', ...configMap(recordOf(name), 'default'), '--ignore-not-found', '--output=json'])
  return json.trim() === '' ? undefined : JSON.parse(json).data
}

const recordOf = (name: string): string => `millrace-${name}`

const ATTEMPTS = 5
const PAUSE_MS = 3_000
/** A file can name kinds that it brings itself, and be checked by a webhook that it starts itself. */
const PASSES = /no matches for kind|failed calling webhook|connection refused/

const insist = (apply: () => Promise<unknown>): Promise<unknown> =>
  retry(apply, {
    clock: systemClock,
    when: (error) => PASSES.test((error as Error).message),
    pause: () => PAUSE_MS,
    maxAttempts: ATTEMPTS,
  })

/** Kourier as the ingress, a domain that resolves to this machine, and knative/platform-kind. */
async function configure(world: World): Promise<void> {
  const merge = (name: string, data: Record<string, string>) =>
    world.kubectl(['patch', ...configMap(name, 'knative-serving'), '--type=merge', '--patch', JSON.stringify({ data })])
  await merge('config-network', { 'ingress-class': 'kourier.ingress.networking.knative.dev' })
  await merge('config-domain', { '127.0.0.1.sslip.io': '' })
  const ours = ['--server-side', '--force-conflicts', '--field-manager=millrace']
  const before = await dispatcherSettings(world)
  await world.kubectl(['apply', ...ours, '--kustomize', 'knative/platform-kind'])
  // It reads them when it starts.
  if (before !== (await dispatcherSettings(world))) {
    const dispatcher = ['statefulset', 'kafka-source-dispatcher', '--namespace', 'knative-eventing']
    await world.kubectl(['rollout', 'restart', ...dispatcher])
  }
  world.say('  Kourier, domain and KafkaSource are configured')
}

const dispatcherSettings = ({ kubectl }: World): Promise<string> =>
  kubectl(['get', ...configMap('config-kafka-source-data-plane', 'knative-eventing'), '--output=jsonpath={.data}'])
