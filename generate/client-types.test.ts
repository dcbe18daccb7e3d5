import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openapi } from '#functions/describe/openapi.ts'
import { findDomains } from '#main/find-domains.ts'
import { shop } from '#test/shop.ts'
import { clientTypes, type Description } from './client-types.ts'

/** Inside the repository, so that the compiler finds zod and millrace. */
let folder: string

beforeAll(async () => {
  mkdirSync('.millrace', { recursive: true })
  folder = mkdtempSync(resolve('.millrace/client-'))
  const domains = [...(await findDomains()), shop]
  const description = openapi(domains, { faults: true, open: new Set() }) as unknown as Description
  writeFileSync(join(folder, 'site.ts'), clientTypes(JSON.parse(JSON.stringify(description))))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What the compiler says about a program that uses the client. */
function compiled(program: string): string {
  const start = `import { createClient } from 'millrace/client'
import type { Site } from './site.ts'
const client = createClient<Site>({ url: 'http://localhost:8080' })\n`
  writeFileSync(join(folder, 'program.ts'), start + program)
  const config = { extends: resolve('tsconfig.json'), include: [], files: ['program.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  return spawnSync('node_modules/.bin/tsc', ['-p', folder], { encoding: 'utf8' }).stdout
}

test('the types of a description are those of its domains', () => {
  expect(
    compiled(`
const { title }: { title: string } = await client.tutorials.one({ id: 'one' })
const { result }: { result: unknown } = await client.sums.add({ firstNumber: 2, secondNumber: 3 })
const { id }: { id: string } = await client.tutorials.publish({ title })
for await (const sum of client.sums.history.each()) console.log(sum.result, result, id)
const { items, next } = await client.forum.threads.list({ limit: 2 })
for (const { title } of items) console.log(title.length, next)
const total: bigint = await client.sums.total()
console.log(total)
`),
  ).toBe('')
})

test('a live list gives the kind of each change, and other live queries give items', () => {
  expect(
    compiled(`
for await (const { kind, item } of client.shop.mine.each()) {
  const change: 'inserted' | 'changed' | 'removed' = kind
  console.log(change, item.state.length)
}
for await (const { type } of client.shop.events.each()) console.log(type.length)
`),
  ).toBe('')
})

test.each([
  ["await client.tutorials.publish({ titel: 'a' })", "'titel' does not exist"],
  ['await client.tutorials.one({ id: 1 })', "'number' is not assignable to type 'string'"],
  ['await client.tutorials.nothing()', "'nothing' does not exist"],
  ['await client.nothing.one()', "'nothing' does not exist"],
  ["const { heading } = await client.tutorials.one({ id: 'one' }); console.log(heading)", "'heading' does not exist"],
])('%s does not compile', (program, error) => {
  expect(compiled(program)).toContain(error)
})
