import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readVersions } from '../../deploy/versions.ts'
import { once, run } from '../services/install.ts'

/** The programs that check the manifests, by the module and version that `go install` builds. kind is the one that `make deploy` uses. */
const TOOLS = {
  kustomize: 'sigs.k8s.io/kustomize/kustomize/v5@v5.7.1',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0',
  kind: `sigs.k8s.io/kind@v${readVersions('deploy/versions.json').kind}`,
  yq: 'github.com/mikefarah/yq/v4@v4.47.2',
  actionlint: 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12',
}

export type Tool = keyof typeof TOOLS

const folderOf = (tool: Tool): string => join(resolve('.millrace/tools'), `${tool}-${TOOLS[tool].split('@')[1]}`)

export const pathOf = (tool: Tool): string => join(folderOf(tool), tool)

const works = (command: string, args: string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0

export const hasNginx = (): boolean => works('nginx', ['-v'])

/** Why the manifests can't be checked on this machine and how to mend it, or nothing. */
export function toolsLack(): string | undefined {
  const missing = (Object.keys(TOOLS) as Tool[]).filter((tool) => !existsSync(folderOf(tool)))
  if (missing.length > 0 && !works('go', ['version'])) return `no Go to make ${missing.join(', ')} (https://go.dev/dl)`
  if (!hasNginx()) return 'no nginx (Debian: nginx-light; Homebrew: nginx)'
}

export async function installTools(): Promise<void> {
  for (const tool of Object.keys(TOOLS) as Tool[]) await installTool(tool)
}

export const installTool = (tool: Tool): Promise<void> =>
  once(folderOf(tool), (folder) => run('go', ['install', TOOLS[tool]], { GOBIN: folder }))

export const canInstall = (tool: Tool): boolean => existsSync(folderOf(tool)) || works('go', ['version'])

export interface Said {
  ok: boolean
  output: string
  errors: string
}

export function ask(
  tool: Tool,
  args: string[],
  { input, env }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Said {
  const options = { encoding: 'utf8', input, env: env ?? process.env, maxBuffer: 64 * 1024 * 1024 } as const
  const { status, stdout, stderr, error } = spawnSync(pathOf(tool), args, options)
  if (error) throw new Error(`${tool} does not run; \`make check-manifests\` installs it`, { cause: error })
  return { ok: status === 0, output: stdout, errors: stderr }
}

/** The output of a tool that must not fail. */
export function answerOf(tool: Tool, args: string[], input?: string): string {
  const { ok, output, errors } = ask(tool, args, input === undefined ? {} : { input })
  if (!ok) throw new Error(`${tool} ${args.join(' ')}: ${errors}${output}`)
  return output
}
