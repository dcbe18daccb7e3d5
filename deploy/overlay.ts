import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { imageOf } from './image.ts'
import { NAMESPACE, type TargetCluster } from './target-cluster.ts'

/** The names of our image in the overlays. */
const NAMES = ['kind.local/millrace', 'registry.example.com/millrace']
const FOLDER = '.millrace/deploy'
const COMPONENT = 'app.kubernetes.io/component'

/** Applies the overlay's objects of these components, which don't run our image. */
export const applyComponents = (target: TargetCluster, components: readonly string[]): Promise<void> =>
  applyFrom(target.settings.OVERLAY, target, components)

/** Applies the overlay's objects of these components with the image to run. */
export const applyPrograms = async (target: TargetCluster, components: readonly string[]): Promise<void> =>
  applyFrom(await withImage(target), target, components)

async function applyFrom(folder: string, target: TargetCluster, components: readonly string[]): Promise<void> {
  const printed = await target.kubectl(['apply', '--kustomize', folder, '--selector', selectorOf(components)])
  for (const line of printed.trim().split('\n').filter(isChange)) target.print(`  ${line}`)
}

/** Deletes a Job, because a Job can't be changed. */
export async function deleteJob(target: TargetCluster, name: string): Promise<void> {
  await target.kubectl(['delete', 'job', name, '--namespace', NAMESPACE, '--ignore-not-found', '--wait'])
}

export const selectorOf = (components: readonly string[]): string => `${COMPONENT} in (${components.join(',')})`

const isChange = (line: string): boolean => line !== '' && !line.endsWith(' unchanged')

/** Writes a kustomization of the overlay with the image to run. JSON is also YAML. */
async function withImage({ settings }: TargetCluster): Promise<string> {
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
