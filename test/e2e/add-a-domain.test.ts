import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { copyWith } from '../copy.ts'
import { discard, type Mill, send, startMill } from '../mill.ts'
import { expectPrints, readCommands, shellBlocks } from '../shown-commands.ts'

/** The files of the product that a page shows. The first line of each is a comment with its path. */
const filesOf = (page: string) =>
  [...readFileSync(page, 'utf8').matchAll(/```ts\n\/\/ (domains\/\S+)\n([\s\S]*?)```/g)].map(
    ([, path = '', text = '']) => ({ path, text }),
  )
const readme = filesOf('README.md')
const notes = filesOf('docs/append-domains.md')

let root: string
let mill: Mill

beforeAll(async () => {
  root = copyWith([...readme, ...notes])
  mill = await startMill({ pair: inject('pair'), root, env: { OIDC_ISSUER: '' } })
})

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
  rmSync(root, { recursive: true, force: true })
})

test('the domain of README.md is one file of twelve lines, and that of append-domains.md is one file', () => {
  expect(readme.map(({ path }) => path)).toEqual(['domains/bookmarks/domain.ts'])
  const lines = readme[0]?.text.trim().split('\n') ?? []
  expect(lines.filter((line) => line !== '')).toHaveLength(12)
  expect(notes.map(({ path }) => path)).toEqual(['domains/notes/domain.ts'])
})

test('both pass the type check, and nothing else changes', () => {
  const include = ['domains/bookmarks', 'domains/notes']
  writeFileSync(join(root, 'tsconfig.added.json'), JSON.stringify({ extends: './tsconfig.json', include }))
  execFileSync(resolve('node_modules/.bin/tsc'), ['-p', 'tsconfig.added.json'], { cwd: root, stdio: 'pipe' })
})

test('both are described, and the client knows their names', async () => {
  const { paths } = (await (await fetch(`${mill.query}/openapi.json`)).json()) as { paths: object }
  const described = Object.values(paths).flatMap((methods) => Object.values(methods) as { operationId?: string }[])
  const names = described.map(({ operationId }) => operationId)
  expect(names).toEqual(expect.arrayContaining(['bookmarks.add', 'bookmarks.list']))
  expect(names).toEqual(expect.arrayContaining(['notes.write', 'notes.list', 'notes.one']))
})

test('the domain of README.md stores a command, refuses an invalid one and answers its query', async () => {
  const bookmark = { url: `https://example.org/${crypto.randomUUID()}` }
  expect((await send(`${mill.publish}/api/bookmarks`, { url: 'no address' })).status).toBe(422)
  const added = await send(`${mill.publish}/api/bookmarks`, bookmark, { prefer: 'wait=15' })
  expect(added.status).toBe(200)
  const { items } = (await (await fetch(`${mill.query}/api/bookmarks`)).json()) as { items: object[] }
  expect(items).toEqual([{ id: expect.any(String), ...bookmark }])
})

test('the domain of append-domains.md stores a command and answers its queries, beside the domains that were there', async () => {
  const note = { text: 'It turns', author: `ada ${crypto.randomUUID()}` }
  const written = await send(`${mill.publish}/api/notes`, note, { prefer: 'wait=15' })
  expect(written.status).toBe(201)
  const page = await fetch(`${mill.query}/api/notes?author=${encodeURIComponent(note.author)}`)
  expect(await page.json()).toMatchObject({ items: [note], next: null })
  const one = await fetch(mill.query + written.headers.get('location'))
  expect(await one.json()).toMatchObject(note)
  const title = { title: 'Still here' }
  expect((await send(`${mill.publish}/api/tutorials`, title, { prefer: 'wait=15' })).status).toBe(201)
})

test('the commands of append-domains.md print what it says', async () => {
  const [block = ''] = shellBlocks(readFileSync('docs/append-domains.md', 'utf8'))
  const shown = readCommands(block)
  expect(shown.filter(({ prints }) => prints.length > 0)).toHaveLength(2)
  await expectPrints(shown, mill)
})
