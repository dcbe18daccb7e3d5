import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { settings } from '#main/settings.ts'
import { LIST } from '../../licenses.ts'
import { eventually, freePort } from '../mill.ts'
import { rawSocket } from '../socket.ts'
import { type Image, imageOf, LAST } from './dockerfile.ts'

let root: string
let image: string
let laptop: string

let of: Image

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'image-'))
  chmodSync(root, 0o755)
  image = join(root, 'image')
  laptop = join(root, 'laptop')
  of = imageOf(process.cwd(), root)
  of.build('build')
  of.assemble(LAST, image)
  // It is based on the stage build, so it continues in the same folder.
  of.build('build-laptop')
  of.assemble('laptop', laptop)
}, 240_000)

afterAll(() => {
  for (const folder of [image, laptop]) if (existsSync(folder)) execFileSync('chmod', ['-R', 'u+w', folder])
  rmSync(root, { recursive: true, force: true })
})

interface Run {
  child: ChildProcess
  ended: Promise<unknown[]>
  log(): string
  errors(): string
}

function run(target: string, env: Record<string, string> = {}): Run {
  const [program = '', ...args] = of.commandIn(image)
  const child = spawn(program, args, {
    cwd: join(image, 'app'),
    env: {
      KAFKA_BROKERS: process.env.KAFKA_BROKERS ?? '',
      MONGODB_URI: process.env.MONGODB_URI ?? '',
      MONGODB_DATABASE: `image_${process.pid}`,
      LOG: 'kafka',
      STORE: 'mongodb',
      RECEIPT_SECRET: 'of the test of an image with thirty-two characters',
      FUNCTION_TARGET: target,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [log, errors] = ['', '']
  child.stdout?.on('data', (chunk) => (log += chunk))
  child.stderr?.on('data', (chunk) => (errors += chunk))
  return { child, ended: once(child, 'close'), log: () => log, errors: () => errors }
}

async function serving(target: string): Promise<Run & { port: number }> {
  const [port, metrics] = [await freePort(), await freePort()]
  const ports = { PORT: String(port), METRICS_PORT: String(metrics) }
  const started = run(target, { ...ports, HOST: '127.0.0.1', NODE_DEBUG_NATIVE: 'COMPILE_CACHE' })
  const ready = `http://127.0.0.1:${target === 'grpc' ? metrics : port}/health/ready`
  await eventually(async () => expect((await fetch(ready)).status).toBe(200))
  return { ...started, port }
}

const LOCAL = 'source'
const targets = settings.FUNCTION_TARGET.unwrap().options.filter((target) => target !== LOCAL)
const bundlesIn = (folder: string) =>
  readdirSync(join(folder, 'app/dist')).flatMap((name) => /^(\w+)\.mjs$/.exec(name)?.[1] ?? [])

test('it has the bundles with their source maps and nothing else, for an unprivileged user', () => {
  expect(of.user).toBe('65532:65532')
  expect(existsSync(join(image, 'app/node_modules'))).toBe(false)
  expect(bundlesIn(image).sort()).toEqual([...targets, 'serve'].sort())
  for (const target of targets) expect(existsSync(join(image, `app/dist/${target}.mjs.map`))).toBe(true)
})

test('it has no line of local/, which only the image for a laptop has', () => {
  const sourcesOf = (folder: string, target: string): string[] =>
    JSON.parse(readFileSync(join(folder, `app/dist/${target}.mjs.map`), 'utf8')).sources
  const isLocal = (source: string) => /(^|\/)local\//.test(source)
  for (const target of targets) expect(sourcesOf(image, target).filter(isLocal)).toEqual([])
  expect(bundlesIn(laptop).sort()).toEqual([...targets, LOCAL, 'serve'].sort())
  expect(sourcesOf(laptop, LOCAL).filter(isLocal)).toContainEqual(expect.stringMatching(/kafka-source\.ts$/))
})

test('it has the licences of its packages, with their texts', () => {
  const read = (name: string) => readFileSync(join(image, 'app/dist/licenses', name), 'utf8')
  expect(read('LICENSE')).toBe(readFileSync('LICENSE', 'utf8'))
  expect(read(LIST)).toBe(readFileSync(LIST, 'utf8'))
  for (const [, name = '', version = ''] of read(LIST).matchAll(/^\| (\S+) \| (\d\S*) \|/gm)) {
    expect(read('THIRD-PARTY-LICENSES.txt')).toContain(`${name} ${version}, `)
  }
})

test('prepare makes topics and indexes, and can be repeated', async () => {
  for (let time = 0; time < 2; time++) {
    const { ended, errors } = run('prepare')
    expect(await ended, errors()).toEqual([0, null])
  }
})

test('prepare fails without brokers, and its last line is the error', async () => {
  const { ended, errors } = run('prepare', { KAFKA_BROKERS: '127.0.0.1:1' })
  expect(await ended).toEqual([1, null])
  expect(errors()).toBe('log: Connection error: connect ECONNREFUSED 127.0.0.1:1\n')
})

test.each(['publish', 'grpc', 'persist', 'query'])(
  '%s starts from its warm cache, and ends at SIGTERM',
  async (target) => {
    const { child, ended, errors } = await serving(target)
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    expect(errors()).toMatch(new RegExp(`V8 code cache for ESM \\S+/${target}\\.mjs was accepted`))
  },
)

test('publish accepts a command that is being received at SIGTERM', async () => {
  const { child, ended, port } = await serving('publish')
  const socket = await rawSocket(port)
  const body = JSON.stringify({ title: 'Let me finish' })
  const head = ['POST /api/tutorials HTTP/1.1', 'host: publish', 'content-type: application/json']
  socket.send([...head, `content-length: ${body.length}`, 'expect: 100-continue', '', ''].join('\r\n'))
  await socket.until('100 Continue')
  child.kill('SIGTERM')
  await eventually(() => expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow())
  socket.send(body)
  expect(await socket.closed()).toContain('HTTP/1.1 202')
  expect(await ended).toEqual([0, null])
})

test('an error at the start names our own lines in the log, and what to do in the last line', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'secret-'))
  chmodSync(dir, 0o755)
  writeFileSync(join(dir, 'receipt-secret'), 'short')
  const { ended, log, errors } = run('publish', { RECEIPT_SECRET: '', MILLRACE_DIR: dir })
  expect(await ended).toEqual([1, null])
  expect(log()).toMatch(/\bat \w+ \(\S+\/main\/secret\.ts:\d+:\d+\)/)
  expect(log().length).toBeLessThan(10_000)
  expect(errors()).toMatch(/^\S+receipt-secret is too short: .*\n$/)
  rmSync(dir, { recursive: true })
})

test.each(['nothing', LOCAL])('the unknown target %s is refused with the list of targets', async (target) => {
  const { ended, errors } = run(target)
  expect(await ended).toEqual([1, null])
  expect(errors()).toBe('FUNCTION_TARGET must be one of grpc, persist, prepare, publish, query\n')
})
