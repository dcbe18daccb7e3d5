import { readFileSync } from 'node:fs'
import { run } from './child-process.ts'
import type { TargetCluster } from './target-cluster.ts'

const LOCAL = 'millrace:dev'
/** Knative looks in no registry for images of this host. */
const ON_KIND = 'kind.local/millrace'

/**
 * Builds the image and loads it into the nodes. Each build has its own tag, so that a new build is rolled out. The other
 * tag is the one in the overlay, for applying the overlay with kubectl alone.
 */
export async function loadImage({ settings, print }: TargetCluster): Promise<void> {
  await run('docker', ['build', '--tag', LOCAL, '.'], { shown: true })
  const images = [await imageOf(settings.IMAGE), `${ON_KIND}:${version()}`]
  for (const image of images) await run('docker', ['tag', LOCAL, image])
  await run('kind', ['load', 'docker-image', ...images, '--name', settings.CLUSTER], { shown: true })
  print(`  ${images.join(' and ')} are on every node`)
}

const version = (): string => JSON.parse(readFileSync('package.json', 'utf8')).version

/** The image to run: the given one, or the last build. */
export async function imageOf(given: string | undefined): Promise<string> {
  if (given) return given
  const id = await run('docker', ['image', 'inspect', LOCAL, '--format', '{{.Id}}'])
  return `${ON_KIND}:${id.trim().replace('sha256:', '').slice(0, 12)}`
}
