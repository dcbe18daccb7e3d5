import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { copyWith } from '../copy.ts'
import { discard, type Mill, send, startMill } from '../mill.ts'
import { expectPrints, readSession, shellBlocks } from '../shown-commands.ts'

/** The files of the product that a page shows. The first line of each is a comment with its path. */
const filesOf = (page: string) =>
  [...readFileSync(page, 'utf8').matchAll(/```ts\n\/\/ (domains\/\S+)\n([\s\S]*?)```/g)].map(
    ([, path = '', text = '']) => ({ path, text }),
  )
const readme = filesOf('README.md')
const tutorial = filesOf('docs/tutorial.md')
/** The domain as its first step writes it, its test, and the complete domain. */
const [firstStep, , orders] = filesOf('docs/rules.md')

let root: string
let mill: Mill

beforeAll(async () => {
  root = copyWith([...readme, ...tutorial, ...(orders ? [orders] : [])])
  mill = await startMill({ pair: inject('pair'), root, env: { OIDC_ISSUER: '' } })
})

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
  rmSync(root, { recursive: true, force: true })
})

test('the domain of README.md is one file of twelve lines, and that of the tutorial is one file', () => {
  expect(readme.map(({ path }) => path)).toEqual(['domains/bookmarks/domain.ts'])
  expect(
    readme[0]?.text
      .trim()
      .split('\n')
      .filter((line) => line !== ''),
  ).toHaveLength(12)
  expect(tutorial.map(({ path }) => path)).toEqual(['domains/notes/domain.ts'])
})

test('the page of rules writes one file, and writes it whole at its end', () => {
  expect(firstStep?.path).toBe('domains/orders/domain.ts')
  expect(orders?.path).toBe('domains/orders/domain.ts')
})

test('all pass the type check, also after the first step of the page of rules, and nothing else changes', () => {
  const include = ['domains/bookmarks', 'domains/notes', 'domains/orders/domain.ts', 'first-step.ts']
  writeFileSync(join(root, 'first-step.ts'), firstStep?.text ?? '')
  writeFileSync(join(root, 'tsconfig.added.json'), JSON.stringify({ extends: './tsconfig.json', include }))
  execFileSync(resolve('node_modules/.bin/tsc'), ['-p', 'tsconfig.added.json'], { cwd: root, stdio: 'pipe' })
})

test('all are described, and the client knows their names', async () => {
  const { paths } = (await (await fetch(`${mill.query}/openapi.json`)).json()) as { paths: object }
  const described = Object.values(paths).flatMap((methods) => Object.values(methods) as { operationId?: string }[])
  const names = described.map(({ operationId }) => operationId)
  expect(names).toEqual(expect.arrayContaining(['bookmarks.add', 'bookmarks.list']))
  expect(names).toEqual(expect.arrayContaining(['notes.write', 'notes.list', 'notes.one']))
  expect(names).toEqual(expect.arrayContaining(['orders.place', 'orders.pay', 'orders.history', 'orders.revenue']))
})

test('the domain of README.md stores a command, refuses an invalid one and answers its query', async () => {
  const bookmark = { url: `https://example.org/${crypto.randomUUID()}` }
  expect((await send(`${mill.publish}/api/bookmarks`, { url: 'no address' })).status).toBe(422)
  const added = await send(`${mill.publish}/api/bookmarks`, bookmark, { prefer: 'wait=15' })
  expect(added.status).toBe(200)
  const { items } = (await (await fetch(`${mill.query}/api/bookmarks`)).json()) as { items: object[] }
  expect(items).toEqual([{ id: expect.any(String), ...bookmark }])
})

test('the domain of the tutorial stores a command and answers its queries, beside the domains that were there', async () => {
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

test('the commands of the page of rules print what it says', async () => {
  const blocks = shellBlocks(readFileSync('docs/rules.md', 'utf8'))
  // The section about a bug has the other commands.
  const session = readSession(blocks.filter((block) => !block.includes('make letters')))
  expect(session.shown.length).toBeGreaterThan(15)
  expect(session.shown.filter(({ prints }) => prints.length === 0)).toEqual([])
  await expectPrints(session, mill)
})
