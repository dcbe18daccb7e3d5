import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { imageOf, LAST } from '../image/dockerfile.ts'
import { canInstall, installTool, pathOf } from '../manifests/tools.ts'
import { send } from '../mill.ts'
import {
  create,
  environment,
  fails,
  filesOf,
  install,
  listed,
  type Packages,
  packed,
  run,
  start,
  write,
} from './project.ts'

/** The tests follow a user, and each needs what those before it have made. */
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

let packages: Packages
let shop: string

beforeAll(async () => {
  packages = await packed(version)
})

afterAll(() => {
  if (packages) rmSync(packages.folder, { recursive: true, force: true })
})

test('a package has the product, compiled with its types and maps, and no domain, test or template', () => {
  const files = listed(packages.millrace)
  for (const entry of ['domains/millrace', 'client/millrace-client', 'testing/millrace-testing', 'package/millrace']) {
    expect(files).toEqual(expect.arrayContaining([`${entry}.js`, `${entry}.d.ts`, `${entry}.js.map`]))
  }
  const sources = files.filter((path) => /\.ts$/.test(path) && !path.endsWith('.d.ts'))
  expect(sources).toEqual([])
  const left = files.filter((path) => /\.test\.|^package\/create|^(test|examples)\/|^domains\/[^/]+\//.test(path))
  expect(left).toEqual([])
})

test('npm create makes a project, and refuses a folder that exists and a name that is none', () => {
  shop = create(packages, 'shop')
  const again = (name: string) =>
    fails(
      packages.folder,
      'npm',
      'exec',
      '--yes',
      '--prefer-offline',
      `--package=${packages.create}`,
      '--',
      'create-millrace',
      name,
    )
  expect(again('shop')).toContain('shop exists already. Choose another name.')
  expect(again('My Shop')).toContain('The name "My Shop" must be 1 to 60 lowercase letters')
  install(shop, packages.millrace)
})

test('a new project passes its check and its tests', () => {
  run(shop, 'make', '--silent', 'check')
  expect(run(shop, 'make', '--silent', 'test')).toContain('hello.test.ts')
})

test('the domain of the tutorial, as it is at the end of the page, and another page hold as they stand', () => {
  const orders = ['domain.ts', 'rules.test.ts'].map((file) => ({
    path: `domains/orders/${file}`,
    text: readFileSync(`testing/page/orders/${file}`, 'utf8'),
  }))
  write(shop, [...orders, ...filesOf('docs/append-domains.md')])
  expect(fails(shop, 'make', '--silent', 'check')).toContain('knative/sources/notes.yaml is not up to date')
  expect(run(shop, 'make', '--silent', 'docs')).toContain('wrote knative/sources/orders.yaml')
  run(shop, 'make', '--silent', 'new-domain', 'NAME=books', 'KIND=append')
  run(shop, 'make', '--silent', 'check')
  expect(run(shop, 'make', '--silent', 'test')).toContain('rules.test.ts')
})

test('a mistake in a domain is named, and fails the check', () => {
  const path = join(shop, 'domains/notes/domain.ts')
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace('partitions: 3', 'partitions: 0'))
  expect(fails(shop, 'npx', 'millrace', 'check')).toContain('domain notes, topic notes: partitions must be a positive')
  expect(fails(shop, 'make', 'check')).toContain('domain notes, topic notes: partitions must be a positive')
  writeFileSync(path, text)
})

test('the check names the mistake that the errors of types come from, and these after it', () => {
  const path = join(shop, 'domains/orders/domain.ts')
  const text = readFileSync(path, 'utf8')
  for (const check of ['make --silent check', 'npm run --silent check']) {
    writeFileSync(path, text.replace("'orders.paid': ({ stream }", "'orders.payd': ({ stream }"))
    expect(fails(shop, 'sh', '-c', check)).toMatch(/Did you mean "orders\.paid"\?[\s\S]*error TS/)
    writeFileSync(path, `${text}export const wrong: string = 1\n`)
    expect(fails(shop, 'sh', '-c', check)).toContain("Type 'number' is not assignable to type 'string'")
    writeFileSync(path, text)
    run(shop, 'sh', '-c', check)
  }
})

test('the errors of a test point to the lines of the project', () => {
  write(shop, [{ path: 'domains/orders/wrong.test.ts', text: WRONG_TESTS }])
  const output = stripVTControlCharacters(fails(shop, 'npx', 'vitest', 'run', 'domains/orders/wrong.test.ts'))
  expect(output).toContain('domains/orders/wrong.test.ts:7:')
  expect(output).toContain('domains/orders/wrong.test.ts:10:')
  expect(output).not.toContain('node_modules/millrace')
  rmSync(join(shop, 'domains/orders/wrong.test.ts'))
})

const WRONG_TESTS = `import { given } from 'millrace/testing'
import { test } from 'vitest'
import orders from './domain.ts'

const pay = { type: 'orders.pay', data: { id: 'first', cents: 4900 }, actor: 'ada' } as const
test('an expectation that fails', async () => {
  await given(orders).when(pay).thenExpect({ rejected: 'no' })
})
test('an event with wrong data', async () => {
  await given(orders, { type: 'orders.paid', stream: 'first', data: { cents: 0 } }).when(pay).thenExpect({})
})
`

const note = { text: 'It turns', author: 'ada' }
const notesOf = async (origin: string) => (await fetch(`${origin}/api/notes?author=ada`)).json()

test('make dev takes a command and answers its query, and the client of another team has its types', async () => {
  const dev = await start(shop, ['make', '--silent', 'dev'])
  try {
    expect((await send(`${dev.origin}/api/notes`, note, { prefer: 'wait=15' })).status).toBe(201)
    expect(await notesOf(dev.origin)).toMatchObject({ items: [note] })
    expect((await fetch(`${dev.origin}/docs/swagger-ui.css`)).status).toBe(200)
    expect(run(shop, 'env', `SITE=${dev.origin}`, 'USER=administrator', 'npx', 'millrace', 'token')).toMatch(/^eyJ/)
    write(shop, [{ path: 'call.ts', text: CALL }])
    expect(run(shop, 'node', 'call.ts', dev.origin)).toBe('It turns\n')
    run(shop, 'npx', 'tsc')
    write(shop, [{ path: 'call.ts', text: CALL.replace('author:', 'writer:') }])
    expect(() => run(shop, 'npx', 'tsc')).toThrow("'writer' does not exist")
    write(shop, [
      { path: 'site.ts', text: run(shop, 'npx', 'millrace', 'client', dev.origin) },
      { path: 'call.ts', text: CALL_OF_OTHERS },
    ])
    expect(run(shop, 'node', 'call.ts', dev.origin)).toBe('It turns\n')
    run(shop, 'npx', 'tsc')
    for (const name of ['call', 'site']) rmSync(join(shop, `${name}.ts`))
  } finally {
    await dev.stop()
  }
})

const CALL = `import { createClient } from 'millrace/client'
import type notes from './domains/notes/domain.ts'

const client = createClient<{ notes: typeof notes }>({ url: process.argv[2] ?? '' })
const { items } = await client.notes.list({ author: 'ada' })
console.log(items.map(({ text }) => text).join())
`

const CALL_OF_OTHERS = CALL.replace(
  "import type notes from './domains/notes/domain.ts'",
  "import type { Site } from './site.ts'",
).replace('{ notes: typeof notes }', 'Site')

test('a bug of a rule names the line of its author', async () => {
  const path = join(shop, 'domains/notes/domain.ts')
  const text = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    text.replace('document: ({ data, time }) => ({ ...data, time })', 'document: () => { throw new Error("no ink") }'),
  )
  const dev = await start(shop, ['make', '--silent', 'dev'], { MILLRACE_DIR: join(packages.folder, 'bug') })
  try {
    await send(`${dev.origin}/api/notes`, note, { prefer: 'wait=1' })
    await expect.poll(dev.output, { timeout: 15_000 }).toMatch(/domains\/notes\/domain\.ts:\d+:\d+ document/)
    expect(dev.output()).not.toMatch(/frames[^\n]*node_modules/)
  } finally {
    await dev.stop()
    writeFileSync(path, text)
  }
})

const variables = (env: Record<string, string>) => Object.entries(env).map(([name, value]) => `${name}=${value}`)

test('a bundle has the domains of the project, and runs without its packages', async () => {
  run(shop, 'make', '--silent', 'bundle')
  const licenses = readFileSync(join(shop, 'dist/licenses/THIRD-PARTY-LICENSES.txt'), 'utf8')
  for (const name of ['millrace', 'kafkajs', 'zod', 'node']) expect(licenses).toMatch(new RegExp(`^${name} \\d`, 'm'))
  const map = JSON.parse(readFileSync(join(shop, 'dist/publish.mjs.map'), 'utf8')) as { sources: string[] }
  expect(map.sources).toEqual(expect.arrayContaining(['../domains/notes/domain.ts']))
  const persist = readFileSync(join(shop, 'dist/persist.mjs'), 'utf8')
  expect(persist).toMatch(/new URL\(["'`]\.\.\/node_modules\/millrace\/["'`],import\.meta\.url\)/)
  expect(map.sources.filter((path) => /millrace\/local\//.test(path))).toEqual([])
  const away = join(packages.folder, 'away')
  run(packages.folder, 'cp', '-r', join(shop, 'dist'), away)
  const env = { LOG: 'embedded', STORE: 'embedded', MILLRACE_DIR: join(packages.folder, 'state') }
  run(packages.folder, 'env', ...variables({ ...env, FUNCTION_TARGET: 'prepare' }), 'node', 'away/serve.mjs')
  const publish = await start(packages.folder, ['node', 'away/serve.mjs'], { ...env, FUNCTION_TARGET: 'publish' })
  try {
    expect((await send(`${publish.origin}/api/notes`, note)).status).toBe(202)
  } finally {
    await publish.stop()
  }
})

test('the image of a project runs as its Dockerfile says, without Docker', async () => {
  const root = mkdtempSync(join(tmpdir(), 'image-'))
  const inRoot = (folder: string) => join(root, folder)
  chmodSync(root, 0o755)
  for (const folder of ['build/usr/local/bin', 'state']) mkdirSync(inRoot(folder), { recursive: true })
  chmodSync(inRoot('state'), 0o777)
  // The image node has Node there. The package is beside the project because it is not published.
  cpSync(process.execPath, inRoot('build/usr/local/bin/node'))
  cpSync(packages.millrace, inRoot(`build/${basename(packages.millrace)}`))
  const image = imageOf(shop, root, { ...environment(), npm_config_prefer_offline: 'true' })
  image.build('build')
  image.assemble(LAST, inRoot('image'))
  const command = image.commandIn(inRoot('image'))
  const env = { LOG: 'embedded', STORE: 'embedded', MILLRACE_DIR: inRoot('state'), NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }
  run(root, 'env', ...variables({ ...env, FUNCTION_TARGET: 'prepare' }), ...command)
  const publish = await start(root, command, { ...env, FUNCTION_TARGET: 'publish' })
  try {
    expect((await send(`${publish.origin}/api/notes`, note)).status).toBe(202)
  } finally {
    await publish.stop()
    run(root, 'chmod', '-R', 'u+w', root)
    rmSync(root, { recursive: true })
  }
  expect(publish.output()).toMatch(/V8 code cache for ESM \S+\/publish\.mjs was accepted/)
})

test.skipIf(!canInstall('kustomize'))('its overlays have the functions and a KafkaSource for each domain', async () => {
  await installTool('kustomize')
  for (const overlay of ['kind', 'production']) {
    const objects = run(shop, pathOf('kustomize'), 'build', `knative/overlays/${overlay}`).split('\n---\n')
    const named = (kind: string) =>
      objects
        .filter((text) => new RegExp(`^kind: ${kind}$`, 'm').test(text))
        .flatMap((text) => /^ {2}name: (.+)$/m.exec(text)?.[1] ?? [])
    expect(named('KafkaSource').sort()).toEqual(['books', 'dead-letters', 'hello', 'letters', 'notes', 'orders'])
    expect(named('Service')).toEqual(expect.arrayContaining(['persist', 'publish', 'publish-grpc', 'query']))
    expect(
      objects.filter((text) => /^ {2}namespace: /m.test(text) && !/^ {2}namespace: millrace$/m.test(text)),
    ).toEqual([])
  }
})
