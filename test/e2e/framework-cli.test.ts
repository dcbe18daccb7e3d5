import { type ChildProcess, spawn } from 'node:child_process'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { discard, eventually, freePort, type Mill, send, startMill } from '../mill.ts'
import { SECRET, sealOf } from '../trust.ts'

let mill: Mill
let env: Record<string, string>
let child: ChildProcess | undefined

/** The environment of a mill that has already created files, topics and collections. */
beforeAll(async () => {
  const pair = inject('pair')
  env = { MONGODB_DATABASE: `test_cli_${process.pid}`, LOG: pair === 'real' ? 'kafka' : 'embedded' }
  env.STORE = pair === 'real' ? 'mongodb' : 'embedded'
  mill = await startMill({ pair, env })
  await mill.stop()
})

afterAll(() => discard(mill))

/** Starts a function as `npx functions-framework --source functions/<name>/index.ts --target <name>` does. */
async function withFunction(name: string, use: (url: string) => Promise<void>): Promise<void> {
  const port = await freePort()
  const args = ['--source', `functions/${name}/index.ts`, '--target', name, '--port', String(port)]
  const framework = spawn('functions-framework', args, {
    env: { ...process.env, ...env, MILLRACE_DIR: mill.dir, RECEIPT_SECRET: SECRET },
    stdio: 'ignore',
  })
  child = framework
  try {
    const url = `http://127.0.0.1:${port}`
    await eventually(() => fetch(url), { within: 20_000 })
    await use(url)
  } finally {
    const gone = new Promise((resolve) => framework.once('exit', resolve))
    framework.kill('SIGKILL')
    await gone
    child = undefined
  }
}

afterAll(() => void child?.kill('SIGKILL'))

test('publish starts alone with the CLI of functions-framework', () =>
  withFunction('publish', async (url) => {
    expect((await send(`${url}/api/tutorials`, { title: 'By the CLI' })).status).toBe(202)
  }))

test('persist starts alone with the CLI of functions-framework', () =>
  withFunction('persist', async (url) => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'by-the-cli',
      'ce-source': '/test',
      'ce-type': 'tutorials.publish',
      'ce-seal': sealOf('by-the-cli', 'tutorials.publish', 'By the CLI'),
      'ce-time': new Date().toISOString(),
      'ce-knativekafkapartition': '0',
      'ce-knativekafkaoffset': '0',
      'content-type': 'text/vnd.millrace.title',
    }
    expect((await send(url, 'By the CLI', headers)).status).toBe(204)
  }))

test('query starts alone with the CLI of functions-framework, and reads what persist stored', () =>
  withFunction('query', async (url) => {
    expect(await (await fetch(`${url}/api/tutorials/by-the-cli`)).json()).toMatchObject({ title: 'By the CLI' })
  }))
