import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesAt } from '../history.ts'
import { send } from '../mill.ts'
import { create, install, type Packages, packagesIn, packed, run, start } from './project.ts'

/** The version before: the first that had packages, since none is published yet. It changes with each release. */
const BEFORE = { commit: '6b09000b64b614c7e9aaa7b8bb52e58986eceac9', version: '0.0.1' }
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const sources = filesAt(BEFORE.commit)

let before: Packages
let packages: Packages

beforeAll(async () => {
  before = packedBefore()
  packages = await packed(version)
})

afterAll(() => {
  for (const folder of [sources, packages?.folder]) if (folder) rmSync(folder, { recursive: true, force: true })
})

/** The packages of the version before, by its own code and with the installed packages. */
function packedBefore(): Packages {
  execFileSync(process.execPath, ['package/pack.ts', BEFORE.version], { cwd: sources, stdio: 'pipe' })
  return packagesIn(join(sources, '.millrace/packages'), BEFORE.version)
}

test('a project of the version before keeps its domains, data and overlays, and passes the checks of this one', async () => {
  const shop = create(before, 'shop')
  install(shop, before.millrace)
  run(shop, 'make', '--silent', 'new-domain', 'NAME=books', 'KIND=append')
  run(shop, 'make', '--silent', 'new-domain', 'NAME=orders')
  const overlay = join(shop, 'knative/overlays/kind/settings.env')
  writeFileSync(overlay, `${readFileSync(overlay, 'utf8')}LOG_LEVEL=debug\n`)
  const old = await start(shop, ['make', '--silent', 'dev'])
  try {
    expect((await send(`${old.origin}/api/hello`, { name: 'Ada' }, { prefer: 'wait=15' })).status).toBe(201)
    expect(await versionOf(old.origin)).toBe(BEFORE.version)
  } finally {
    await old.stop()
  }

  install(shop, packages.millrace)
  run(shop, 'make', '--silent', 'docs', 'check', 'test')
  expect(readFileSync(overlay, 'utf8')).toContain('LOG_LEVEL=debug')
  const upgraded = await start(shop, ['make', '--silent', 'dev'])
  try {
    const { origin } = upgraded
    expect(await versionOf(origin)).toBe(version)
    expect((await send(`${origin}/api/hello`, { name: 'Grace' }, { prefer: 'wait=15' })).status).toBe(201)
    const hellos = await (await fetch(`${origin}/api/hello`)).json()
    expect(hellos).toMatchObject({ items: [{ name: 'Grace' }, { name: 'Ada' }] })
  } finally {
    await upgraded.stop()
  }
})

async function versionOf(origin: string): Promise<string> {
  const { info } = (await (await fetch(`${origin}/openapi.json`)).json()) as { info: { version: string } }
  return info.version
}
