import { spawnSync } from 'node:child_process'

/** compose.yaml as Docker Compose itself understands it: anchors merged, its schema and references checked. */
export interface Model {
  services: Record<string, Service>
}

export interface Service {
  image?: string
  build?: object
  command?: string[] | null
  environment?: Record<string, string | number | null>
  ports?: { host_ip?: string; published: string; target: number }[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { disable?: boolean; test?: string[] }
  restart?: string
  read_only?: boolean
  cap_drop?: string[]
}

/** Docker Compose, or where there is none the loader that it is made of. */
const LOADERS = [
  ['docker', 'compose', '--file', 'compose.yaml', 'config', '--format', 'json'],
  ['go', 'run', 'github.com/compose-spec/compose-go/v2/cmd@v2.9.1', '-format', 'json', 'compose.yaml'],
]

/** Why compose.yaml can't be read on this machine, or nothing. */
export function composeLacks(): string | undefined {
  const works = (command: string, args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0
  if (!works('docker', ['compose', 'version']) && !works('go', ['version'])) return 'neither Docker Compose nor Go'
}

export function readModel(): Model {
  const reasons: string[] = []
  for (const [command = '', ...args] of LOADERS) {
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
    if (status === 0) return JSON.parse(stdout)
    reasons.push(`${command}: ${error?.message ?? stderr}`)
  }
  throw new Error(`compose.yaml can not be loaded\n${reasons.join('\n')}`)
}
