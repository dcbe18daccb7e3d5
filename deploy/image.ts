import { readFileSync } from 'node:fs'
import { run } from './tool.ts'
import type { World } from './world.ts'

const LOCAL = 'millrace:dev'
/** Knative looks for the images of this host in no registry. */
const ON_KIND = 'kind.local/millrace'

/**
 * Builds the image and brings it to the nodes. Each build has a tag of its own, so that a new one is rolled out; the other
 * tag is the one that the overlay names, for whoever applies it without us.
 */
export async function loadImage({ settings, say }: World): Promise<void> {
  await run('docker', ['build', '--tag', LOCAL, '.'], { shown: true })
  const images = [await imageOf(settings.IMAGE), `${ON_KIND}:${version()}`]
  for (const image of images) await run('docker', ['tag', LOCAL, image])
  await run('kind', ['load', 'docker-image', ...images, '--name', settings.CLUSTER], { shown: true })
  say(`  ${images.join(' and ')} are on every node`)
}

const version = (): string => JSON.parse(readFileSync('package.json', 'utf8')).version

/** The image to run: the given one, or what was built last. */
export async function imageOf(given: string | undefined): Promise<string> {
  if (given) return given
  const id = await run('docker', ['image', 'inspect', LOCAL, '--format', '{{.Id}}'])
  return `${ON_KIND}:${id.trim().replace('sha256:', '').slice(0, 12)}`
}
