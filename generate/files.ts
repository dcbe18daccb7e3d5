import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Domain } from '#domains/domain.ts'
import { routesTable } from './docs/routes.ts'
import { settingsTable } from './docs/settings.ts'
import { sourceManifests } from './kafka-sources.ts'

/** A file that follows from the code, with the text that it must have. Without a text it must not exist. */
export interface GeneratedFile {
  path: string
  text: string | undefined
}

const SOURCES = 'knative/sources'
const SETTINGS = new URL('../knative/base/settings.env', import.meta.url)

/** What follows from the domains in this repository: its pages with their tables brought up to date, and the KafkaSources. */
export const generatedFiles = (domains: Domain[]): GeneratedFile[] => [
  replaceTable('docs/api.md', 'routes', routesTable(domains)),
  replaceTable('docs/configuration.md', 'settings', settingsTable()),
  ...sourceFiles(domains),
]

/** What follows from the domains in each project: the KafkaSources, without the leftover ones of domains that no longer exist. */
export function sourceFiles(domains: Domain[]): GeneratedFile[] {
  const manifests = Object.entries(sourceManifests(domains, brokers()))
  const there = existsSync(SOURCES) ? readdirSync(SOURCES) : []
  const leftovers = there.filter((name) => manifests.every(([own]) => own !== name))
  return [
    ...manifests.map(([name, text]) => ({ path: join(SOURCES, name), text })),
    ...leftovers.map((name) => ({ path: join(SOURCES, name), text: undefined })),
  ]
}

/** The text that the file has now. */
export const currentText = ({ path }: GeneratedFile): string | undefined =>
  existsSync(path) ? readFileSync(path, 'utf8') : undefined

/** Writes the files that are not up to date, and prints what changes. */
export function writeFiles(files: GeneratedFile[]): void {
  for (const file of files) {
    if (currentText(file) === file.text) continue
    if (file.text === undefined) rmSync(file.path)
    else {
      mkdirSync(dirname(file.path), { recursive: true })
      writeFileSync(file.path, file.text)
    }
    console.log(`${file.text === undefined ? 'removed' : 'wrote'} ${file.path}`)
  }
}

/** The brokers of the functions. KafkaSources read from the same ones. */
function brokers(): string[] {
  const settings = readFileSync(SETTINGS, 'utf8')
  const [, list] = /^KAFKA_BROKERS=(.+)$/m.exec(settings) ?? []
  if (list === undefined) throw new Error('knative/base/settings.env must have KAFKA_BROKERS')
  return list.split(',')
}

function replaceTable(path: string, name: string, table: string): GeneratedFile {
  const begin = `<!-- generated: ${name} -->`
  const [before, rest, ...others] = readFileSync(path, 'utf8').split(begin)
  const [, after] = rest?.split('<!-- end -->') ?? []
  if (after === undefined || others.length > 0) throw new Error(`${path} must have one ${begin} with one <!-- end -->`)
  return { path, text: `${before}${begin}\n\n${table}\n<!-- end -->${after}` }
}
