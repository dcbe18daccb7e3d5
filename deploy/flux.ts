import { run } from './child-process.ts'
import { applyComponents } from './overlay.ts'
import { installRelease } from './platform.ts'
import { ensureSecrets } from './secrets.ts'
import type { TargetCluster } from './target-cluster.ts'
import { untilReady } from './wait-until-ready.ts'

const NAMESPACE = 'flux-system'
const PLACEHOLDER = { url: 'https://github.com/example/millrace', branch: 'branch: main' }

/** Installs Flux, makes the Secrets, which are not in git, and applies the objects that Flux follows. From then on git decides what runs. */
export async function bootstrapFlux(target: TargetCluster): Promise<void> {
  const { BRANCH } = target.settings
  const url = fetchable(target.settings.REPO ?? (await run('git', ['remote', 'get-url', 'origin'])).trim())
  await applyComponents(target, ['settings'])
  await ensureSecrets(target)
  await installRelease(target, 'flux')
  await untilReady(target, 'Flux', () => target.list(['deployments', '--namespace', NAMESPACE]))
  const objects = (await target.kubectl(['kustomize', 'knative/flux']))
    .replace(PLACEHOLDER.url, url)
    .replace(PLACEHOLDER.branch, `branch: ${BRANCH}`)
  await target.kubectl(['apply', '--filename', '-'], { input: objects })
  const followed = 'gitrepositories.source.toolkit.fluxcd.io,kustomizations.kustomize.toolkit.fluxcd.io'
  await untilReady(target, `${url}, ${BRANCH}`, () => target.list([followed, '--namespace', NAMESPACE]))
}

/** git accepts `git@host:path`; a GitRepository needs a URL with a scheme. */
export function fetchable(url: string): string {
  const short = /^([\w.-]+@[\w.-]+):(?!\/\/)(.+)$/.exec(url)
  const full = short ? `ssh://${short[1]}/${short[2]}` : url
  if (!/^(https?|ssh):\/\//.test(full)) throw new Error(`Flux can not follow ${url}: set REPO=https://... or ssh://...`)
  return full
}
