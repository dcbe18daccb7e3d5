import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { helpIfAsked } from './help.ts'
import { refuseUnpinned } from './pins/pins.ts'
import { readVersions } from './versions.ts'

/** What CHANGELOG.md says of a version, without its heading. */
export function sectionOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1)
  const section = sections.find((section) => section.split(/\s/, 1)[0] === version)
  if (!section) throw new Error(`CHANGELOG.md has no section ${version}`)
  const text = section.slice(section.indexOf('\n')).trim()
  if (text === '') throw new Error(`CHANGELOG.md says nothing of ${version}`)
  return text
}

/** The version that a tag names; it must be the one that package.json says. */
export function versionOf(tag: string, manifest: { version: string }): string {
  if (tag !== `v${manifest.version}`) throw new Error(`the tag is ${tag}, package.json says ${manifest.version}`)
  return manifest.version
}

/** `node deploy/release.ts v1.2.3` prints the notes of that release, once everything it is made of is pinned. */
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  helpIfAsked('node deploy/release.ts v1.2.3: the notes of that release, from CHANGELOG.md')
  const version = versionOf(process.argv[2] ?? '', JSON.parse(readFileSync('package.json', 'utf8')))
  refuseUnpinned('.', readVersions('deploy/versions.json'))
  console.log(sectionOf(readFileSync('CHANGELOG.md', 'utf8'), version))
}
