import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, freePort } from '../mill.ts'

/**
 * The image without Docker: each COPY and RUN of the Dockerfile is done in a folder that stands for the root of a stage,
 * and what the last stage holds is run as it says: its user, its environment, nothing writable.
 */
const text = readFileSync('Dockerfile', 'utf8')
const [, build = '', last = ''] = text.split(/^FROM .*$/m)
const linesOf = (stage: string, word: string): string[] =>
  stage.split('\n').flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []))

const NOBODY = 65532
let root: string
let image: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'image-'))
  chmodSync(root, 0o755)
  const app = join(root, 'build', 'app')
  image = join(root, 'image')
  mkdirSync(app, { recursive: true })
  for (const line of build.split('\n')) {
    const [word, ...rest] = line.split(' ')
    if (word === 'COPY') copy(rest.slice(0, -1), join(app, rest.at(-1) as string))
    if (word === 'RUN') execFileSync('bash', ['-c', rest.join(' ')], { cwd: app, stdio: 'pipe' })
  }
  for (const line of linesOf(last, 'COPY')) {
    const [, from = '', to = ''] = line.split(' ')
    mkdirSync(dirname(join(image, to)), { recursive: true })
    cpSync(join(root, 'build', from), join(image, to), { recursive: true })
  }
  execFileSync('chmod', ['-R', 'a-w,a+rX', image])
}, 240_000)

afterAll(() => {
  execFileSync('chmod', ['-R', 'u+w', root])
  rmSync(root, { recursive: true, force: true })
})

/** As a build context has it: without what .dockerignore names. */
function copy(sources: string[], to: string): void {
  const rules = readFileSync('.dockerignore', 'utf8').split('\n').filter(Boolean)
  const isLetThrough = (path: string) => rules.includes(`!${path}`)
  const isLeftOut = (path: string) => /\.test\.ts$|\/contract[^/]*\.ts$/.test(path)
  for (const source of sources) {
    expect(isLetThrough(source), `${source} is in .dockerignore`).toBe(true)
    const target = to.endsWith('/') || to.endsWith('.') ? join(to, source) : to
    cpSync(source, target, { recursive: true, filter: (path) => !isLeftOut(path) })
  }
}

function run(target: string, env: Record<string, string> = {}): ChildProcess {
  const said = Object.fromEntries(
    linesOf(last, 'ENV').flatMap((line) => line.split(' ').map((pair) => pair.split('=') as [string, string])),
  )
  const isRoot = process.getuid?.() === 0
  return spawn(join(image, 'usr/local/bin/node'), [join(image, 'app/dist/serve.mjs')], {
    cwd: join(image, 'app'),
    env: {
      ...said,
      NODE_COMPILE_CACHE: join(image, said.NODE_COMPILE_CACHE ?? ''),
      KAFKA_BROKERS: process.env.KAFKA_BROKERS ?? '',
      MONGODB_URI: process.env.MONGODB_URI ?? '',
      MONGODB_DATABASE: `image_${process.pid}`,
      LOG: 'kafka',
      STORE: 'mongodb',
      RECEIPT_SECRET: 'of the test of an image, thirty-two characters',
      FUNCTION_TARGET: target,
      ...env,
    },
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

test('it runs as nobody special, from files that it can not write', () => {
  expect(linesOf(last, 'USER')).toEqual([`${NOBODY}:${NOBODY}`])
  expect(existsSync(join(image, 'app/node_modules'))).toBe(false)
  for (const target of ['publish', 'persist', 'query', 'prepare', 'source']) {
    expect(existsSync(join(image, `app/dist/${target}.mjs.map`))).toBe(true)
  }
})

test('prepare makes topics and indexes, and again; it says what is wrong and fails without brokers', async () => {
  for (let time = 0; time < 2; time++) expect(await once(run('prepare'), 'exit')).toEqual([0, null])
  const child = run('prepare', { KAFKA_BROKERS: '127.0.0.1:1' })
  let errors = ''
  child.stderr?.on('data', (chunk) => (errors += chunk))
  expect(await once(child, 'exit')).toEqual([1, null])
  expect(errors).toContain('127.0.0.1:1')
})

test.each(['publish', 'persist', 'query'])('%s gets ready, and drains when it is told to stop', async (target) => {
  const port = await freePort()
  const child = run(target, { PORT: String(port), HOST: '127.0.0.1' })
  await eventually(async () => expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200))
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('a target that there is not is refused by name', async () => {
  const child = run('nothing')
  let errors = ''
  child.stderr?.on('data', (chunk) => (errors += chunk))
  expect(await once(child, 'exit')).toEqual([1, null])
  expect(errors).toContain('publish, persist, query, prepare, source')
})
