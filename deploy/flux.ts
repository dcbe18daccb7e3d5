import { applyComponents } from './overlay.ts'
import { installRelease } from './platform.ts'
import { ensureSecrets } from './secrets.ts'
import { run } from './tool.ts'
import { untilReady } from './wait.ts'
import type { World } from './world.ts'

const NAMESPACE = 'flux-system'
const PLACEHOLDER = { url: 'https://github.com/example/millrace', branch: 'branch: main' }

/** Flux itself, the Secrets that are not in git, and what it is to follow. From here on git says what runs. */
export async function bootstrapFlux(world: World): Promise<void> {
  const { BRANCH } = world.settings
  const url = fetchable(world.settings.REPO ?? (await run('git', ['remote', 'get-url', 'origin'])).trim())
  await applyComponents(world, ['settings'])
  await ensureSecrets(world)
  await installRelease(world, 'flux')
  await untilReady(world, 'Flux', () => world.list(['deployments', '--namespace', NAMESPACE]))
  const objects = (await world.kubectl(['kustomize', 'knative/flux']))
    .replace(PLACEHOLDER.url, url)
    .replace(PLACEHOLDER.branch, `branch: ${BRANCH}`)
  await world.kubectl(['apply', '--filename', '-'], { input: objects })
  const followed = 'gitrepositories.source.toolkit.fluxcd.io,kustomizations.kustomize.toolkit.fluxcd.io'
  await untilReady(world, `${url}, ${BRANCH}`, () => world.list([followed, '--namespace', NAMESPACE]))
}

/** git takes `git@host:path`; a GitRepository wants an address with a scheme. */
export function fetchable(url: string): string {
  const short = /^([\w.-]+@[\w.-]+):(?!\/\/)(.+)$/.exec(url)
  const full = short ? `ssh://${short[1]}/${short[2]}` : url
  if (!/^(https?|ssh):\/\//.test(full)) throw new Error(`Flux can not follow ${url}: say REPO=https://... or ssh://...`)
  return full
}
