import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import vitestConfig from '../../vitest.config.ts'

const run = (args: string[]): string[] => execFileSync('git', args, { encoding: 'utf8' }).split('\n').filter(Boolean)

/** Every page that people write; a generated one is tested with its generator. */
const pages = run(['ls-files', '--cached', '--others', '--exclude-standard', '*.md']).filter(
  (path) => path !== 'THIRD-PARTY-LICENSES.md' && existsSync(path),
)
const texts = new Map(pages.map((path) => [path, readFileSync(path, 'utf8')]))
const textOf = (path: string): string => texts.get(path) ?? ''

const FENCE = /^```(\w*)\n([\s\S]*?)^```/gm
const shellOf = (page: string): string[] =>
  [...textOf(page).matchAll(FENCE)].flatMap(([, language, text = '']) => (language === 'sh' ? [text] : []))
const proseOf = (page: string): string => textOf(page).replaceAll(FENCE, '')
const spansOf = (page: string): string[] => [...proseOf(page).matchAll(/`([^`]+)`/g)].map(([, span = '']) => span)

/** The anchors of a page, as GitHub derives them from its headings. */
const anchorsOf = (page: string): string[] =>
  [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

/** The relative links of a page that lead nowhere. */
function deadLinks(page: string): string[] {
  const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : join(dirname(page), path)
    if (!existsSync(target)) return true
    return anchor !== undefined && !anchorsOf(target).includes(anchor)
  })
}

const FOLDERS = new Set(run(['ls-files']).flatMap((path) => (path.includes('/') ? [path.split('/', 1)[0]] : [])))
/** The files that a reader of the page creates, by hand or by a command that says so, and their folders. */
function createdBy(page: string): string[] {
  const files = [/^```ts\n\/\/ (\S+)$/gm, /^cp -r \S+ (\S+)$/gm, /^# wrote (\S+)$/gm].flatMap((pattern) =>
    [...textOf(page).matchAll(pattern)].map(([, path = '']) => path),
  )
  return [...files, ...files.map(dirname)]
}

/** The files and folders of the project that a page names and that do not exist. */
function missingPaths(page: string): string[] {
  const code = [...spansOf(page), ...shellOf(page)].join('\n')
  const named = [...code.matchAll(/(?<![\w./:@<*-])\.?[\w-]+(?:\/[\w.-]+)+/g)].map(([path]) => path)
  const ours = named.filter((path) => FOLDERS.has(path.split('/', 1)[0]))
  return ours.filter((path) => !existsSync(path) && !createdBy(page).includes(path))
}

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { [name: string]: string } }
const targets = new Set(
  [...readFileSync('Makefile', 'utf8').matchAll(/^([a-z- ]+):/gm)].flatMap(([, names = '']) => names.split(' ')),
)
const parts = (vitestConfig.test?.projects ?? []).map((project) => (project as { test: { name: string } }).test.name)

/** The make targets, npm scripts and parts of the tests in these commands that do not exist. */
function missingCommands(code: string): string[] {
  const wordsAfter = (pattern: RegExp): string[] =>
    [...code.matchAll(pattern)].flatMap(([, words = '']) => words.trim().split(/ +/))
  const bare = wordsAfter(/(?:^|\$\()make ([^#\n|)]*)/gm).filter((word) => /^[a-z][a-z-]*$/.test(word))
  return [
    ...bare.filter((target) => !targets.has(target)),
    ...wordsAfter(/^npm run ([\w-]+)/gm).filter((script) => !(script in scripts)),
    ...wordsAfter(/^npm test -- ([^#\n]+)/gm).filter((part) => !parts.includes(part)),
    ...wordsAfter(/--project (\S+)/g).filter((part) => !parts.includes(part)),
  ]
}

test('there are pages, with links, paths and commands', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'docs/api.md']))
  expect(pages.length).toBeGreaterThan(40)
  expect(pages.flatMap(shellOf).length).toBeGreaterThan(30)
})

test.each(pages)('the links of %s lead to files and headings that exist', (page) => {
  expect(deadLinks(page)).toEqual([])
})

/** The history names files that are gone. */
test.each(pages.filter((page) => page !== 'CHANGELOG.md'))('the paths that %s names exist', (page) => {
  expect(missingPaths(page)).toEqual([])
})

test.each(pages)('the make targets, npm scripts and parts of the tests that %s names exist', (page) => {
  expect(missingCommands([...shellOf(page), ...spansOf(page)].join('\n'))).toEqual([])
})

test.each(pages.filter((page) => shellOf(page).length > 0))('the commands in %s are shell', (page) => {
  for (const block of shellOf(page)) {
    expect(spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  }
})

test('README.md and ARCHITECTURE.md are short', () => {
  const lines = (page: string) => textOf(page).trimEnd().split('\n').length
  expect(lines('README.md')).toBeLessThanOrEqual(130)
  expect(lines('ARCHITECTURE.md')).toBeLessThanOrEqual(100)
})

test('the list of decisions names each of them', () => {
  const named = [...textOf('docs/decisions/README.md').matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, name]) => name)
  const there = pages.filter((page) => /^docs\/decisions\/(?!README)/.test(page))
  expect(named.toSorted()).toEqual(there.map((path) => path.split('/').at(-1)).toSorted())
})

test('a wrong link, path or command is found', () => {
  const page = 'docs/planted.md'
  const prose = 'A [page](nowhere.md), a [heading](api.md#nowhere), [one that exists](api.md#keys), `core/nowhere.ts`.'
  const shell = 'make nothing PORT=1 # nothing\nnode deploy/nowhere.ts\nnpm run nothing\nnpm test -- nothing'
  texts.set(page, `# Planted\n\n${prose}\n\n\`\`\`sh\n${shell}\n\`\`\`\n`)
  expect(deadLinks(page)).toEqual(['nowhere.md', 'api.md#nowhere'])
  expect(missingPaths(page)).toEqual(['core/nowhere.ts', 'deploy/nowhere.ts'])
  expect(missingCommands(shellOf(page).join('\n'))).toEqual(['nothing', 'nothing', 'nothing'])
})
