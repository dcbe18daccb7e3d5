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
  ['domains/x/commands.ts', `import { randomUUID } from 'node:crypto'`],
  ['domains/x/commands.ts', `import { commands } from '../y/commands.ts'`],
  ['domains/x/commands.ts', `import { config } from '#adapters/config.ts'`],
  ['domains/domain.ts', `import type { Log } from '#adapters/log/log.ts'`],
  ['adapters/x.ts', `import { publish } from '#functions/publish/index.ts'`],
  ['adapters/x.ts', `import domain from '#domains/tutorials/domain.ts'`],
  ['adapters/x.ts', `const x = await import('../functions/domains.ts')`],
  ['adapters/x.ts', `import { eventually } from '#test/mill.ts'`],
  ['adapters/x.ts', `import {\n  one,\n  two,\n} from '../functions/domains.ts'`],
  ['adapters/x.ts', `import '../functions/serve.ts'`],
  ['client/x.ts', `import sums from '#domains/sums/domain.ts'`],
  ['client/x.ts', `import { json } from '#adapters/host/http.ts'`],
  ['functions/x.ts', `import { createClient } from '#client/client.ts'`],
  ['functions/x.ts', `import { startMill } from '#test/mill.ts'`],
  ['functions/publish/x.ts', `import { persist } from '../persist/persister.ts'`],
  ['functions/describe/x.ts', `import { page } from '../query/page.ts'`],
  ['functions/x.ts', 'const port = process.env.PORT'],
  ['functions/x.ts', 'const { env } = process'],
  ['functions/x.ts', 'export enum Colour { Red }'],
  ['functions/x.ts', '// TODO later'],
  ['functions/x.ts', '// FIXME now'],
  ['functions/x.ts', `export * from './y.ts'`],
  ['functions/x.ts', `export * as y from './y.ts'`],
  ['functions/x.ts', `export type { Y } from './y.ts'`],
  ['adapters/utils.ts', ''],
  ['functions/x/index.ts', 'go()\n'.repeat(41)],
])('a planted violation is caught: %s %j', (path, text) => {
  expect(violations({ path, text })).toHaveLength(1)
})

test.each([
  ['domains/x/commands.ts', `import { z } from 'zod'\nimport type { CommandType } from '../domain.ts'`],
  ['domains/x/domain.ts', `import { commands } from './commands.ts'`],
  ['adapters/x.ts', `import type { Topic } from '#domains/domain.ts'\nimport kafkajs from 'kafkajs'`],
  ['client/x.ts', `import type { Domain } from '#domains/domain.ts'\nimport { send } from './send.ts'`],
  ['adapters/config.ts', 'readConfig(process.env)'],
  ['functions/publish/x.ts', `import { ids } from '../ids.ts'\nimport { read } from './read.ts'`],
  ['functions/query/x.ts', `import { openapi } from '../describe/openapi.ts'`],
  ['functions/serve.ts', `const started = await import('./publish/index.ts')`],
  ['functions/x/index.ts', 'go()\n'.repeat(40)],
])('what keeps the rules is left alone: %s %j', (path, text) => {
  expect(violations({ path, text })).toEqual([])
})

test('README.md tells of every setting', () => {
  const readme = readFileSync('README.md', 'utf8')
  expect(Object.keys(settings).filter((name) => !readme.includes(`| \`${name}\` |`))).toEqual([])
})
