import { type RunOptions, run } from './child-process.ts'
import type { KubeObject } from './readiness.ts'
import type { Settings } from './settings.ts'
import { readVersions, type Versions } from './versions.ts'

export const NAMESPACE = 'millrace'

/** The cluster that a step acts on. kubectl uses this cluster only, whatever the current context is. */
export interface TargetCluster {
  settings: Settings
  versions: Versions
  kubectl(args: string[], call?: RunOptions): Promise<string>
  /** The objects that `kubectl get` prints. */
  list(args: string[]): Promise<KubeObject[]>
  print(line: string): void
}

export function openTargetCluster(settings: Settings): TargetCluster {
  const context = settings.CONTEXT ?? `kind-${settings.CLUSTER}`
  const kubectl = (args: string[], call?: RunOptions) => run('kubectl', ['--context', context, ...args], call)
  return {
    settings,
    versions: readVersions(settings.VERSIONS),
    kubectl,
    list: async (args) => JSON.parse(await kubectl(['get', ...args, '--output', 'json'])).items,
    print: (line) => console.log(line),
  }
}
