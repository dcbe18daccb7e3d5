import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { copyWith } from '#test/copy.ts'

const domain = `export default {
  kind: 'append',
  name: 'notes',
  topic: { name: 'no tes', partitions: 3 },
  commands: {},
  documents: { collection: { name: 'notes', indexes: { time: { fields: ['time'] } } }, document: ({ data }) => data },
  queries: [{ answers: 'page', path: '/api/notes', index: 'tmie', shape: () => ({}) }],
}`
const root = copyWith([
  { path: 'domains/empty/domain.ts', text: 'export const domain = {}' },
  { path: 'domains/notes/domain.ts', text: domain },
])
afterAll(() => rmSync(root, { recursive: true, force: true }))

const REPORT = `Mistakes in domains:
  domains/empty/domain.ts: The default export is missing. It must be the domain.
  domain notes, topic no tes: The name of a topic must be 1 to 249 letters, digits, ".", "_" and "-", other than "." and "..".
  domain notes, query GET /api/notes: index "tmie" is not declared in collection "notes". Did you mean "time"?
`

test.each([
  ['main/dev.ts', {}],
  ['main/serve.ts', { FUNCTION_TARGET: 'prepare' }],
  ['main/serve.ts', { FUNCTION_TARGET: 'publish' }],
  ['main/serve.ts', { FUNCTION_TARGET: 'grpc' }],
  ['main/serve.ts', { FUNCTION_TARGET: 'persist' }],
  ['main/serve.ts', { FUNCTION_TARGET: 'query' }],
  ['main/serve.ts', { FUNCTION_TARGET: 'source' }],
])('a start of %s %j with mistakes in domains ends with a report of all of them, and no stack', (file, target) => {
  const env = {
    PATH: process.env.PATH,
    PORT: '0',
    GRPC_PORT: '0',
    METRICS_PORT: '0',
    MILLRACE_DIR: join(root, '.millrace'),
    ...target,
  }
  const { status, stderr, stdout } = spawnSync(process.execPath, [file], {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect({ status, stderr, stdout }).toEqual({ status: 1, stderr: REPORT, stdout: '' })
})
