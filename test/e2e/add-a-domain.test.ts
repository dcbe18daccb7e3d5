import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { copyWith } from '../copy.ts'
import { discard, type Mill, send, startMill } from '../mill.ts'

/** The files in README.md under "Add a domain in ten minutes". */
const files = [...readFileSync('README.md', 'utf8').matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(
  ([, path = '', text = '']) => ({ path, text }),
)

let root: string
let mill: Mill

beforeAll(async () => {
  root = copyWith(files)
  mill = await startMill({ pair: inject('pair'), root })
})

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
  rmSync(root, { recursive: true, force: true })
})

test('the domain of the README is four files, which pass the type check', () => {
  expect(files.map(({ path }) => path)).toEqual(
    ['commands', 'documents', 'queries', 'domain'].map((name) => `domains/notes/${name}.ts`),
  )
  writeFileSync(join(root, 'tsconfig.notes.json'), '{"extends":"./tsconfig.json","include":["domains/notes"]}')
  execFileSync(resolve('node_modules/.bin/tsc'), ['-p', 'tsconfig.notes.json'], { cwd: root, stdio: 'pipe' })
})

test('the API description has the domain with the names of its client', async () => {
  const { paths } = (await (await fetch(`${mill.query}/openapi.json`)).json()) as { paths: object }
  const described = Object.values(paths).flatMap((methods) => Object.values(methods) as { operationId?: string }[])
  const names = described.map(({ operationId }) => operationId)
  expect(names).toEqual(expect.arrayContaining(['notes.write', 'notes.list', 'notes.one']))
})

test("the domain's command is applied and read back, and the other domains still work", async () => {
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
