import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { systemClock } from '#core/clock.ts'
import { retry } from '#core/retry.ts'
import type { TargetCluster } from './target-cluster.ts'
import { pinned, type Release } from './versions.ts'
import { untilReady } from './wait-until-ready.ts'

const PLATFORM_KIND = fileURLToPath(new URL('../knative/platform-kind', import.meta.url))
/** The releases in the order of installation, with their namespaces. Each must run before the next one is installed. */
const PLATFORM = [
  { name: 'serving', namespaces: ['knative-serving'] },
  { name: 'kourier', namespaces: ['knative-serving', 'kourier-system'] },
  { name: 'eventing', namespaces: ['knative-eventing'] },
  { name: 'kafka', namespaces: ['knative-eventing'] },
]

/** Knative Serving with Kourier, Knative Eventing, KafkaSource and KafkaSink, with their settings. */
export async function installPlatform(target: TargetCluster): Promise<void> {
  // Every file is downloaded before anything changes.
  for (const { name } of PLATFORM) {
    const release = releaseOf(target, name)
    for (const file of Object.keys(release.files)) await pinned(release, file, target.settings.DOWNLOADS)
  }
  for (const { name, namespaces } of PLATFORM) {
    await installRelease(target, name)
    await untilReady(target, name, async () => {
      const lists = namespaces.map((namespace) => target.list(['deployments', '--namespace', namespace]))
      return (await Promise.all(lists)).flat()
    })
  }
  await configure(target)
}

function releaseOf({ versions, settings }: TargetCluster, name: string): Release {
  const release = versions.releases[name]
  if (!release) throw new Error(`${settings.VERSIONS} has no ${name}`)
  return release
}

/** Applies the files of a release, unless the cluster has exactly these files. */
export async function installRelease(target: TargetCluster, name: string): Promise<void> {
  const release = releaseOf(target, name)
  if (isDeepStrictEqual(await recorded(target, name), release.files)) {
    return target.print(`  ${name} ${release.version} is already installed`)
  }
  for (const file of Object.keys(release.files)) {
    const path = await pinned(release, file, target.settings.DOWNLOADS)
    await applyWithRetries(() => target.kubectl(['apply', '--server-side', '--force-conflicts', '--filename', path]))
    await target.kubectl(['wait', '--for=condition=Established', 'crd', '--all', `--timeout=${target.settings.LIMIT}s`])
    target.print(`  ${file} ${release.version} applied`)
  }
  const metadata = { name: recordOf(name), namespace: 'default' }
  const record = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: release.files }
  await target.kubectl(['apply', '--filename', '-'], { input: JSON.stringify(record) })
}

const configMap = (name: string, namespace: string) => ['configmap', name, '--namespace', namespace]

/** The checksums of the release's files that were applied last. */
async function recorded({ kubectl }: TargetCluster, name: string): Promise<unknown> {
  const json = await kubectl(['get', ...configMap(recordOf(name), 'default'), '--ignore-not-found', '--output=json'])
  return json.trim() === '' ? undefined : JSON.parse(json).data
}

const recordOf = (name: string): string => `millrace-${name}`

const ATTEMPTS = 5
const PAUSE_MS = 3_000
/** Errors that pass: a file can use kinds and webhooks that it installs itself. */
const TRANSIENT = /no matches for kind|failed calling webhook|connection refused/

const applyWithRetries = (apply: () => Promise<unknown>): Promise<unknown> =>
  retry(apply, {
    clock: systemClock,
    when: (error) => TRANSIENT.test((error as Error).message),
    pause: () => PAUSE_MS,
    maxAttempts: ATTEMPTS,
  })

/** Kourier as the ingress, a domain that resolves to this machine, and knative/platform-kind. */
async function configure(target: TargetCluster): Promise<void> {
  const merge = (name: string, data: Record<string, string>) =>
    target.kubectl([
      'patch',
      ...configMap(name, 'knative-serving'),
      '--type=merge',
      '--patch',
      JSON.stringify({ data }),
    ])
  await merge('config-network', { 'ingress-class': 'kourier.ingress.networking.knative.dev' })
  await merge('config-domain', { '127.0.0.1.sslip.io': '' })
  const ours = ['--server-side', '--force-conflicts', '--field-manager=millrace']
  const before = await dispatcherSettings(target)
  await target.kubectl(['apply', ...ours, '--kustomize', PLATFORM_KIND])
  // The dispatcher reads its settings only when it starts.
  if (before !== (await dispatcherSettings(target))) {
    const dispatcher = ['statefulset', 'kafka-source-dispatcher', '--namespace', 'knative-eventing']
    await target.kubectl(['rollout', 'restart', ...dispatcher])
  }
  target.print('  Kourier, domain and KafkaSource are configured')
}

const dispatcherSettings = ({ kubectl }: TargetCluster): Promise<string> =>
  kubectl(['get', ...configMap('config-kafka-source-data-plane', 'knative-eventing'), '--output=jsonpath={.data}'])
