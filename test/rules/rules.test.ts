import { expect, test } from 'vitest'
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
  ['domains/x/commands.ts', `import { config } from '#main/config.ts'`],
  ['domains/x/commands.ts', `import type { CommandOf } from '../model.ts'`],
  ['domains/x/commands.ts', `import { given } from 'millrace/testing'`],
  ['domains/domain.ts', `import type { Log } from '#core/log.ts'`],
  ['domains/domain.ts', `import sums from './sums/domain.ts'`],
  ['functions/x/x.ts', `import { decideDomain } from 'millrace'`],
  ['examples/1-x/domain.ts', `import { commands } from '../2-y/commands.ts'`],
  ['examples/1-x/domain.ts', `import sums from '#domains/sums/domain.ts'`],
  ['core/x.ts', `import { config } from '#main/config.ts'`],
  ['core/x.ts', `import { kafkaLog } from '#adapters/log/kafka.ts'`],
  ['core/x.ts', `import type { IncomingMessage } from 'node:http'`],
  ['core/x.ts', `import { Kafka } from 'kafkajs'`],
  ['core/x.ts', `import forum from '#domains/forum/domain.ts'`],
  ['adapters/x.ts', `import { publish } from '#functions/publish/index.ts'`],
  ['adapters/x.ts', `import domain from '#domains/tutorials/domain.ts'`],
  ['adapters/x.ts', `const x = await import('../functions/publish/parse-request.ts')`],
  ['adapters/x.ts', `import { eventually } from '#test/mill.ts'`],
  ['adapters/x.ts', `import {\n  one,\n  two,\n} from '#main/log-and-store.ts'`],
  ['adapters/x.ts', `import '../main/serve.ts'`],
  ['adapters/x.ts', `import { startKafkaSource } from '#local/kafka-source/kafka-source.ts'`],
  ['local/x.ts', `import { config } from '#main/config.ts'`],
  ['main/x.ts', `import { readVersions } from '../deploy/versions.ts'`],
  ['main/x.ts', `import { generatedFiles } from '../generate/files.ts'`],
  ['client/x.ts', `import sums from '#domains/sums/domain.ts'`],
  ['client/x.ts', `import { json } from '#core/request.ts'`],
  ['functions/x/x.ts', `import { createClient } from '#client/client.ts'`],
  ['functions/x/x.ts', `import { startMill } from '#test/mill.ts'`],
  ['functions/x/x.ts', `import { openStore } from '#main/log-and-store.ts'`],
  ['functions/x/x.ts', `import { startHost } from '#adapters/host/host.ts'`],
  ['functions/x/x.ts', `import { createServer } from 'node:http'`],
  ['functions/publish/x.ts', `import { persist } from '../persist/persister.ts'`],
  ['functions/query/x.ts', `import { openapi } from '../describe/openapi.ts'`],
  ['functions/x/index.ts', `import { startMill } from '#test/mill.ts'`],
  ['functions/x/x.ts', `import { given } from '#testing/given.ts'`],
  ['main/x.ts', `import { given } from '#testing/given.ts'`],
  ['testing/x.ts', `import { kafkaLog } from '#adapters/log/kafka.ts'`],
  ['testing/x.ts', `import { openStore } from '#main/log-and-store.ts'`],
  ['testing/x.ts', `import { eventually } from '#test/mill.ts'`],
  ['functions/x/x.ts', 'const port = process.env.PORT'],
  ['functions/x/x.ts', 'const { env } = process'],
  ['functions/x/x.ts', 'export enum Colour { Red }'],
  ['functions/x/x.ts', '// TODO later'],
  ['functions/x/x.ts', '// FIXME now'],
  ['functions/x/x.ts', `export * from './y.ts'`],
  ['functions/x/x.ts', `export * as y from './y.ts'`],
  ['functions/x/x.ts', `export type { Y } from './y.ts'`],
  ['functions/x/x.ts', '// biome-ignore lint/complexity/useMaxParams: it has five'],
  ['adapters/utils.ts', ''],
  ['functions/x/index.ts', 'go()\n'.repeat(41)],
])('a planted violation is caught: %s %j', (path, text) => {
  expect(violations({ path, text })).toHaveLength(1)
})

test.each([
  ['domains/x/commands.ts', `import { z } from 'zod'\nimport type { CommandOf } from 'millrace'`],
  ['domains/decide-domain.ts', `import type { Domain } from './domain.ts'`],
  ['domains/millrace.ts', `export { appendDomain } from './append-domain.ts'`],
  ['domains/x/domain.ts', `import { commands } from './commands.ts'`],
  ['examples/1-x/domain.ts', `import type { Domain } from 'millrace'\nimport { decide } from './decide.ts'`],
  ['core/x.ts', `import { Problem } from './problem.ts'\nimport type { Domain } from '#domains/domain.ts'`],
  ['adapters/x.ts', `import type { Topic } from '#domains/domain.ts'\nimport kafkajs from 'kafkajs'`],
  ['local/x.ts', `import { httpFunction } from '#adapters/host/http.ts'`],
  ['client/x.ts', `import type { Domain } from '#domains/domain.ts'\nimport { send } from './send.ts'`],
  ['testing/x.ts', `import { embeddedStore } from '#adapters/store/embedded.ts'`],
  ['main/config.ts', 'readConfig(process.env)'],
  ['main/serve.ts', `const started = await import('#functions/publish/index.ts')`],
  ['functions/publish/x.ts', `import { newId } from '#core/ids.ts'\nimport { read } from './read.ts'`],
  ['functions/query/index.ts', `import { descriptions } from '../describe/descriptions.ts'`],
  ['functions/publish/index.ts', `import { config } from '#main/config.ts'`],
  ['functions/x/index.ts', 'go()\n'.repeat(40)],
])('what keeps the rules is left alone: %s %j', (path, text) => {
  expect(violations({ path, text })).toEqual([])
})
