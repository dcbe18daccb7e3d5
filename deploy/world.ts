import type { KubeObject } from './readiness.ts'
import type { Settings } from './settings.ts'
import { type Call, run } from './tool.ts'
import { readVersions, type Versions } from './versions.ts'

export const NAMESPACE = 'millrace'

/** What a step acts on. kubectl speaks to that cluster only, whichever one is current. */
export interface World {
  settings: Settings
  versions: Versions
  kubectl(args: string[], call?: Call): Promise<string>
  /** `kubectl get`, as objects. */
  list(args: string[]): Promise<KubeObject[]>
  say(line: string): void
}

export function openWorld(settings: Settings): World {
  const context = settings.CONTEXT ?? `kind-${settings.CLUSTER}`
  const kubectl = (args: string[], call?: Call) => run('kubectl', ['--context', context, ...args], call)
  return {
    settings,
    versions: readVersions(settings.VERSIONS),
    kubectl,
    list: async (args) => JSON.parse(await kubectl(['get', ...args, '--output', 'json'])).items,
    say: (line) => console.log(line),
  }
}
