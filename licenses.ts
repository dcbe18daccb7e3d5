import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * The licences of what the image distributes: every production dependency, also those that no bundle imports, and Node.
 * `npm run licenses` writes the list; bundle.ts puts the list and the texts beside the bundles.
 */
export const LIST = 'THIRD-PARTY-LICENSES.md'

export interface Package {
  name: string
  version: string
  license: string
  author: string
  /** The full texts that it brings, NOTICE files among them. */
  texts: string[]
}

const ALLOWED = ['MIT', 'Apache-2.0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'Unlicense']
/** Licences of data, which ask for no more than a name and a link: their packages may come without a text. */
const LINKED = ['CC0-1.0', 'CC-BY-3.0', 'CC-BY-4.0']

/** The lock file of Node for Linux, which runs the scripts of a clone and the image. A project has none. */
const NODE = 'main/node/package-lock.json'

interface Locked {
  version: string
  license?: string
  dev?: boolean
  devOptional?: boolean
  /** True for a package that is installed only on its platform. */
  optional?: boolean
}

export function shippedPackages(): Package[] {
  const shipped = Object.entries(locked('package-lock.json')).filter(
    ([folder, { dev, devOptional, optional }]) => !dev && !devOptional && !(optional && !existsSync(folder)),
  )
  const found = new Map(shipped.map(([folder, locked]) => [nameOf(folder, locked), readPackage(folder, locked)]))
  const [own] = existsSync(NODE) ? Object.values(locked(NODE)) : []
  found.set('node', runningNode(own?.version))
  return [...found.values()].sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version))
}

function locked(file: string): Record<string, Locked> {
  const { '': _own, ...packages } = JSON.parse(readFileSync(file, 'utf8')).packages
  return packages
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const nameOf = (folder: string, { version }: Locked): string => `${folder.split('node_modules/').at(-1)}@${version}`

function readPackage(folder: string, { version, license = 'none' }: Locked): Package {
  const { name, author = '' } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const by = typeof author === 'string' ? author : (author.name ?? '')
  return { name, version, license, author: by, texts: textsIn(folder) }
}

/** A project has no package of Node: its image runs the Node that makes the bundles. */
function runningNode(version = process.versions.node): Package {
  const text = join(dirname(process.execPath), '../LICENSE')
  const texts = existsSync(text) ? [readFileSync(text, 'utf8').trim()] : []
  return { name: 'node', version, license: 'MIT', author: '', texts }
}

const textsIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => /^(licen[sc]e|notice|copying)|\.license\.txt$/i.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim())

/** What must not be distributed, or not without its text. */
export const licenseViolations = (packages: Package[]): string[] =>
  packages.flatMap(({ name, version, license, texts }) => [
    ...(isAllowed(license) ? [] : [`${name} ${version} has the licence ${license}, which is not on the list`]),
    ...(texts.length > 0 || LINKED.includes(license) ? [] : [`${name} ${version} brings no text of its licence`]),
  ])

/** SPDX: one of the alternatives, and all parts of it. */
const isAllowed = (expression: string): boolean =>
  expression
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((part) => part.split(' AND ').every((id) => ALLOWED.includes(id) || LINKED.includes(id)))

export const listOf = (packages: Package[]): string => `# Licences of others

What the image distributes beside our own code (Apache-2.0, [LICENSE](LICENSE)): the production dependencies, and Node. The
image has this list and the full texts in \`/app/dist/licenses\`. Written by \`npm run licenses\`.

| package | version | licence |
|---|---|---|
${packages.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`).join('\n')}
`

const RULE = `\n\n${'-'.repeat(80)}\n\n`

export const textsOf = (packages: Package[]): string =>
  packages
    .map(({ name, version, license, author, texts }) =>
      [
        `${name} ${version}, ${license}${author ? `, by ${author}` : ''}`,
        ...(texts.length > 0 ? texts : [`https://spdx.org/licenses/${license}.html`]),
      ].join('\n\n'),
    )
    .join(RULE)

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(LIST, listOf(shippedPackages()))
