import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { imageOf } from './image.ts'
import { NAMESPACE, type World } from './world.ts'

/** What the overlays call our image. */
const NAMES = ['kind.local/millrace', 'registry.example.com/millrace']
const FOLDER = '.millrace/deploy'
const COMPONENT = 'app.kubernetes.io/component'

/** Applies the objects of the overlay that belong to these components: those that don't run our image. */
export const applyComponents = (world: World, components: readonly string[]): Promise<void> =>
  applyFrom(world.settings.OVERLAY, world, components)

/** The same with the image that is to run. */
export const applyPrograms = async (world: World, components: readonly string[]): Promise<void> =>
  applyFrom(await withImage(world), world, components)

async function applyFrom(folder: string, world: World, components: readonly string[]): Promise<void> {
  const printed = await world.kubectl(['apply', '--kustomize', folder, '--selector', selectorOf(components)])
  for (const line of printed.trim().split('\n').filter(isChange)) world.say(`  ${line}`)
}

/** A Job can't be changed: the one before goes first. */
export async function deleteJob(world: World, name: string): Promise<void> {
  await world.kubectl(['delete', 'job', name, '--namespace', NAMESPACE, '--ignore-not-found', '--wait'])
}

export const selectorOf = (components: readonly string[]): string => `${COMPONENT} in (${components.join(',')})`

const isChange = (line: string): boolean => line !== '' && !line.endsWith(' unchanged')

/** A kustomization of the overlay with that image; JSON is YAML too. */
async function withImage({ settings }: World): Promise<string> {
  const image = await imageOf(settings.IMAGE)
  const colon = image.lastIndexOf(':')
  const [newName, newTag] = [image.slice(0, colon), image.slice(colon + 1)]
  const kustomization = {
    resources: [relative(FOLDER, settings.OVERLAY)],
    images: NAMES.map((name) => ({ name, newName, newTag })),
  }
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, 'kustomization.yaml'), JSON.stringify(kustomization, null, 2))
  return FOLDER
}
