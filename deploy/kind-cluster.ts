import { fileURLToPath } from 'node:url'
import { run, ToolMissing } from './child-process.ts'
import type { TargetCluster } from './target-cluster.ts'
import type { Versions } from './versions.ts'

const toolsFor = ({ kind }: Versions): { tool: string; args: string[]; get: string }[] => [
  {
    tool: 'docker',
    args: ['version', '--format', '{{.Server.Version}}'],
    get: 'https://docs.docker.com/engine/install',
  },
  { tool: 'kind', args: ['version'], get: `go install sigs.k8s.io/kind@v${kind}, or https://kind.sigs.k8s.io` },
  { tool: 'kubectl', args: ['version', '--client'], get: 'https://kubernetes.io/docs/tasks/tools' },
]

/** Throws one error that lists every missing tool and where to get it. */
export async function checkTools({ versions, print }: TargetCluster): Promise<void> {
  const problems: string[] = []
  for (const { tool, args, get } of toolsFor(versions)) {
    try {
      const [version] = (await run(tool, args)).split('\n')
      print(`  ${tool}: ${version}`)
    } catch (error) {
      if (error instanceof ToolMissing) problems.push(`${tool} is missing: ${get}`)
      else problems.push(`${tool} does not work: ${(error as Error).message}`)
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'))
}

const KIND = ['--config', fileURLToPath(new URL('../kind-config.yaml', import.meta.url)), '--wait', '5m']

export async function createCluster({ settings: { CLUSTER }, versions, print }: TargetCluster): Promise<void> {
  if (await clusterRuns(CLUSTER)) return print(`  cluster ${CLUSTER} already exists`)
  await run('kind', ['create', 'cluster', '--name', CLUSTER, '--image', versions.node, ...KIND], { shown: true })
}

export async function deleteCluster({ settings: { CLUSTER } }: TargetCluster): Promise<void> {
  await run('kind', ['delete', 'cluster', '--name', CLUSTER], { shown: true })
}

const clusterRuns = async (name: string): Promise<boolean> =>
  (await run('kind', ['get', 'clusters'])).split('\n').includes(name)
