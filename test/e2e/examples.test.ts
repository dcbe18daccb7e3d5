import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { copyWith } from '../copy.ts'
import { discard, type Mill, startMill } from '../mill.ts'
import { expectPrints, isVariable, readCommands, shellBlocks } from '../shown-commands.ts'

/** The examples: their folders, and the names that their copies have under domains/. */
const examples = readdirSync('examples', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({ folder: `examples/${name}`, name: name.replace(/^\d-/, '') }))

const files = examples.flatMap(({ folder, name }) =>
  readdirSync(folder).map((file) => ({
    path: `domains/${name}/${file}`,
    text: readFileSync(`${folder}/${file}`, 'utf8'),
  })),
)

/** A README: how to install its example, and the commands that it shows. */
function read(folder: string) {
  const readme = readFileSync(`${folder}/README.md`, 'utf8')
  const [install = '', ...blocks] = shellBlocks(readme)
  return { readme, install, shown: blocks.flatMap(readCommands) }
}

let root: string
let mill: Mill

beforeAll(async () => {
  root = copyWith(files)
  // A domain of an author may have the name or the routes of an example.
  for (const entry of readdirSync(join(root, 'domains'), { withFileTypes: true })) {
    const isOther = entry.isDirectory() && examples.every(({ name }) => name !== entry.name)
    if (isOther) rmSync(join(root, 'domains', entry.name), { recursive: true })
  }
  mill = await startMill({ pair: inject('pair'), root, env: { OIDC_ISSUER: '' } })
}, 60_000)

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
  rmSync(root, { recursive: true, force: true })
})

describe.each(examples)('$folder', ({ folder, name }) => {
  const { readme, install, shown } = read(folder)

  test('has a README of at most 30 lines that says how to copy it', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(30)
    expect(install).toBe(`cp -r ${folder} domains/${name}\nmake dev\n`)
    const commands = shown.filter((each) => !isVariable(each))
    expect(commands.length).toBeGreaterThan(2)
    expect(commands.filter(({ prints }) => prints.length === 0)).toEqual([])
  })

  test('its commands print what its README says, as a copy in domains/', async () => {
    await expectPrints(shown, mill, { env: { PROTO: `${folder}/${name}.proto` } })
  })
})
