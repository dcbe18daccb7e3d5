import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesOf, type Versions } from '../versions.ts'
import { type Reference, referencesIn, withPins } from './references.ts'
import { digestOf } from './registry.ts'
import { tagged } from './tags.ts'

const FILES = ['Dockerfile', 'compose.yaml', 'knative/**/*.yaml', '.github/workflows/*.yaml']

const pathsOf = (root: string): string[] => globSync(FILES, { cwd: root }).map((path) => join(root, path))

const labelOf = ({ kind, name, version }: Reference): string => `${name}${kind === 'image' ? ':' : '@'}${version}`

const referencesOf = (root: string): Reference[] =>
  pathsOf(root).flatMap((path) => referencesIn(readFileSync(path, 'utf8')))

/** The images, actions and installed files that are not pinned by their content. */
export function unpinned(root: string, versions: Versions): string[] {
  const references = referencesOf(root).filter(({ pin }) => !pin)
  const files = filesOf(versions).filter(({ release, file }) => !release.files[file])
  const names = [...references.map(labelOf), ...files.map(({ release, file }) => `${file} ${release.version}`)]
  return [...new Set(names)].sort()
}

export function refuseUnpinned(root: string, versions: Versions): void {
  const missing = unpinned(root, versions)
  if (missing.length > 0) {
    throw new Error(`not pinned yet: ${missing.join(', ')}; run \`make pin\` and commit what it fills in`)
  }
}

export interface Resolve {
  image(name: string, tag: string): Promise<string>
  action(name: string, tag: string): Promise<{ commit: string; version: string }>
}

/**
 * Fills in the missing digests of images and commits of actions. An existing pin is never replaced. An image's
 * tag may be built again, but an action's tag that names another commit was moved, which is an error.
 */
export async function fillPins(
  root: string,
  print: (line: string) => void,
  resolve: Resolve = { image: digestOf, action: tagged },
): Promise<void> {
  const pins = new Map<string, Reference>()
  for (const reference of referencesOf(root)) {
    const label = labelOf(reference)
    if (pins.has(label) || (reference.kind === 'image' && reference.pin)) continue
    pins.set(label, await pinOf(reference, resolve))
    print(`${pins.get(label)?.pin}  ${label}`)
  }
  for (const path of pathsOf(root)) {
    const text = readFileSync(path, 'utf8')
    const filled = withPins(text, (reference) =>
      reference.pin ? reference : (pins.get(labelOf(reference)) ?? reference),
    )
    if (filled !== text) writeFileSync(path, filled)
  }
}

async function pinOf(reference: Reference, resolve: Resolve): Promise<Reference> {
  const { kind, name, version, pin } = reference
  if (kind === 'image') return { ...reference, pin: await resolve.image(name, version) }
  const { commit, version: exact } = await resolve.action(name, version)
  if (pin && pin !== commit) {
    throw new Error(`${labelOf(reference)} was moved since it was pinned:\n  pinned ${pin}\n  found  ${commit}`)
  }
  return { kind, name, version: exact, pin: commit }
}
