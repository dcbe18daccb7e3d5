import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { copyWith } from '#test/copy.ts'
import { eventually, freePort, send } from '#test/mill.ts'

const root = copyWith([])
const file = join(root, 'domains/tutorials/domain.ts')
let mill: ChildProcess | undefined

afterAll(() => {
  mill?.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

/** make dev with a debugger. Resolves with its address for the inspector's protocol. */
async function start(port: number): Promise<string> {
  const env = { ...process.env, PORT: String(port), GRPC_PORT: '0', MILLRACE_DIR: join(root, '.millrace') }
  mill = spawn(process.execPath, ['--inspect=127.0.0.1:0', 'main/dev.ts'], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const lines = createInterface({ input: mill.stderr as NonNullable<typeof mill.stderr> })
  for await (const line of lines) {
    const [url] = /ws:\S+/.exec(line) ?? []
    if (url) return url
  }
  throw new Error('there is no debugger')
}

test('a breakpoint in a file of a domain stops its code, and does so after a reload', async () => {
  const port = await freePort()
  const socket = new WebSocket(await start(port))
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  const scripts = new Map<string, string>()
  const pauses: { script: string; url: string | undefined; line: number }[] = []
  const call = (method: string, params = {}) => socket.send(JSON.stringify({ id: 1, method, params }))
  socket.addEventListener('message', ({ data }) => {
    const { method, params } = JSON.parse(String(data))
    if (method === 'Debugger.scriptParsed') scripts.set(params.scriptId, params.url)
    if (method !== 'Debugger.paused') return
    const [{ location }] = params.callFrames
    const { scriptId: script, lineNumber } = location
    pauses.push({ script, url: scripts.get(script), line: lineNumber + 1 })
    call('Debugger.resume')
  })
  const post = () => send(`http://127.0.0.1:${port}/api/tutorials`, { title: 'Mills' }, { prefer: 'wait=10' })
  await eventually(async () => expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200))

  const source = readFileSync(file, 'utf8')
  const lineNumber = source.split('\n').findIndex((line) => line.includes('stream: '))
  expect(lineNumber).toBeGreaterThan(0)
  call('Debugger.enable')
  call('Debugger.setBreakpointByUrl', { url: pathToFileURL(file).href, lineNumber })
  expect((await post()).status).toBe(201)
  const place = { url: pathToFileURL(file).href, line: lineNumber + 1 }
  expect(pauses[0]).toMatchObject(place)

  writeFileSync(file, `${source}\n`)
  const reloaded = await eventually(async () => {
    expect((await post()).status).toBe(201)
    const [pause] = pauses.filter(({ script }) => script !== pauses[0]?.script)
    expect(pause).toBeDefined()
    return pause
  })
  expect(reloaded).toMatchObject(place)
  socket.close()
})
