import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { printHelpIfAsked } from './help.ts'
import { refuseUnpinned } from './pins/pins.ts'
import { readVersions } from './versions.ts'

/** The section of a version in CHANGELOG.md, without its heading. */
export function sectionOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1)
  const section = sections.find((section) => section.split(/\s/, 1)[0] === version)
  if (!section) throw new Error(`CHANGELOG.md has no section ${version}`)
  const text = section.slice(section.indexOf('\n')).trim()
  if (text === '') throw new Error(`the section ${version} of CHANGELOG.md is empty`)
  return text
}

/** The version of a tag. Throws unless it is the version in package.json. */
export function versionOf(tag: string, manifest: { version: string }): string {
  if (tag !== `v${manifest.version}`) throw new Error(`the tag is ${tag}, package.json says ${manifest.version}`)
  return manifest.version
}

/** `node deploy/release.ts v1.2.3` prints the notes of that release. It fails while anything is unpinned. */
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  printHelpIfAsked('node deploy/release.ts v1.2.3: prints the notes of that release, from CHANGELOG.md')
  const version = versionOf(process.argv[2] ?? '', JSON.parse(readFileSync('package.json', 'utf8')))
  refuseUnpinned('.', readVersions('deploy/versions.json'))
  console.log(sectionOf(readFileSync('CHANGELOG.md', 'utf8'), version))
}
