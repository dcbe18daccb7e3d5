import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { copyWith } from '../copy.ts'
import { eventually, freePort, send } from '../mill.ts'

const commands = `import { z } from 'zod'
export const commands = {
  'notes.write': {
    data: z.strictObject({ text: z.string() }),
    stream: () => 'notes',
    routes: [{ method: 'POST', path: '/api/notes', body: 'json' }],
  },
}`
const domain = `import { commands } from './commands.ts'
const documents = { collection: { name: 'notes', indexes: {} }, document: ({ data }) => data }
export default { kind: 'append', name: 'notes', topic: { name: 'notes', partitions: 1 }, commands, documents, queries: [] }`

const root = copyWith([
  { path: 'domains/notes/commands.ts', text: commands },
  { path: 'domains/notes/domain.ts', text: domain },
])
const mistaken = copyWith([
  { path: 'domains/notes/commands.ts', text: commands },
  { path: 'domains/notes/domain.ts', text: domain.replace('partitions: 1', 'partitions: 0') },
])
for (const folder of [root, mistaken])
  for (const file of ['bundle.ts', 'licenses.ts', 'package-lock.json', 'LICENSE', 'THIRD-PARTY-LICENSES.md'])
    cpSync(file, join(folder, file))
afterAll(() => {
  for (const folder of [root, mistaken]) rmSync(folder, { recursive: true, force: true })
})

test('mistakes in a domain end the build with a report of all of them, and no stack', () => {
  const { status, stderr } = spawnSync(process.execPath, ['bundle.ts'], { cwd: mistaken, encoding: 'utf8' })
  const report = 'Mistakes in domains:\n  domain notes, topic notes: partitions must be a positive integer.\n'
  expect({ status, stderr }).toEqual({ status: 1, stderr: report })
})

test('a bundle has a domain for each folder', async () => {
  execFileSync(process.execPath, ['bundle.ts'], { cwd: root, stdio: 'pipe' })
  rmSync(join(root, 'domains'), { recursive: true })
  const port = await freePort()
  const env = { LOG: 'embedded', STORE: 'embedded', MILLRACE_DIR: join(root, '.millrace'), PORT: String(port) }
  const of = (target: string) => ({ cwd: root, env: { ...env, FUNCTION_TARGET: target } })
  execFileSync(process.execPath, ['dist/serve.mjs'], of('prepare'))
  const publish = spawn(process.execPath, ['dist/serve.mjs'], of('publish'))
  try {
    const answer = await eventually(() => send(`http://127.0.0.1:${port}/api/notes`, { text: 'It turns' }))
    expect(answer.status).toBe(202)
  } finally {
    publish.kill('SIGKILL')
  }
})
