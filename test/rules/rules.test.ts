import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settings } from '#adapters/config.ts'
import { productCode, violations } from './rules.ts'

test('the code keeps the rules', () => {
  const code = productCode()
  expect(code.length).toBeGreaterThan(30)
  expect(code.flatMap(violations)).toEqual([])
})

test.each([
  ['domains/x/commands.ts', `import { MongoClient } from 'mongodb'`],
  ['domains/x/commands.ts', `import { commands } from '../y/commands.ts'`],
  ['domains/x/commands.ts', `import { config } from '#adapters/config.ts'`],
  ['adapters/x.ts', `import { publish } from '#functions/publish/index.ts'`],
  ['adapters/x.ts', `import domain from '#domains/tutorials/domain.ts'`],
  ['adapters/x.ts', `const x = await import('../functions/domains.ts')`],
  ['functions/x.ts', `import { startMill } from '#test/mill.ts'`],
  ['functions/x.ts', 'const port = process.env.PORT'],
  ['functions/x.ts', 'export enum Colour { Red }'],
  ['functions/x.ts', '// TODO later'],
  ['functions/x.ts', `export * from './y.ts'`],
  ['adapters/utils.ts', ''],
  ['functions/x/index.ts', '\n'.repeat(50)],
])('a planted violation is caught: %s %s', (path, text) => {
  expect(violations({ path, text })).toHaveLength(1)
})

test('README.md tells of every setting', () => {
  const readme = readFileSync('README.md', 'utf8')
  expect(Object.keys(settings).filter((name) => !readme.includes(`| \`${name}\` |`))).toEqual([])
})
