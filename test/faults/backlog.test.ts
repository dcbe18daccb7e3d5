import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { authorized, trustedIssuer } from '../auth/tokens.ts'
import { eventually, freePort, type Mill, send, startMill } from '../mill.ts'
import { SECRET } from '../trust.ts'

const BACKLOG = 16_000
const SECONDS = 8
const PEOPLE = ['member', 'member2', 'moderator']

const dir = mkdtempSync(join(tmpdir(), 'backlog-'))
let mill: Mill | undefined

afterEach(() => mill?.kill())
afterAll(() => {
  rmSync(dir, { recursive: true, force: true })
})

/** Runs publish alone on the same file. Its commands stay in the log, since no source runs. */
async function withPublishAlone(work: (url: string) => Promise<void>): Promise<void> {
  const port = await freePort()
  const alone = spawn(process.execPath, ['main/serve.ts'], {
    env: {
      ...process.env,
      FUNCTION_TARGET: 'publish',
      LOG: 'embedded',
      STORE: 'embedded',
      MILLRACE_DIR: dir,
      HOST: '127.0.0.1',
      PORT: String(port),
      RECEIPT_SECRET: SECRET,
      OIDC_ISSUER: (await trustedIssuer()).url,
    },
    stdio: 'ignore',
  })
  const ended = new Promise((resolve) => alone.once('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  try {
    await eventually(async () => expect((await fetch(`${url}/health/ready`)).status).toBe(200), { within: 30_000 })
    await work(url)
  } finally {
    alone.kill('SIGTERM')
    await ended
  }
}

async function writeLogEvents(url: string): Promise<void> {
  const headers = { ...(await authorized('collector')), 'content-type': 'application/x-ndjson' }
  const line = JSON.stringify({ organizationId: 'acme', level: 'info', service: 'mill', message: 'It turns' })
  for (let sent = 0; sent < BACKLOG; sent += 4000) {
    const answer = await fetch(`${url}/api/logs`, { method: 'POST', headers, body: `${line}\n`.repeat(4000) })
    expect(answer.status).toBe(202)
  }
}

async function eventsOfLogs({ query }: Mill): Promise<number> {
  const headers = { ...(await authorized('reader')), accept: 'application/x-ndjson' }
  const body = await (await fetch(`${query}/api/logs?organizationId=acme`, { headers })).text()
  return body.split('\n').length - 1
}

test('given a crash and a backlog of log events, the forum continues, and the backlog is processed', {
  timeout: 480_000,
}, async () => {
  mill = await startMill({ pair: 'embedded', dir })
  const done = await send(`${mill.publish}/api/tutorials`, { title: 'Before the crash' }, { prefer: 'wait=10' })
  expect(done.status).toBe(201)
  await mill.kill()
  await withPublishAlone(writeLogEvents)

  mill = await startMill({ pair: 'embedded', dir })
  const running = mill
  async function open(name: string): Promise<void> {
    const headers = { ...(await authorized(name)), prefer: 'wait=20' }
    const thread = { title: 'Kettles', text: 'Which one?' }
    expect((await send(`${running.publish}/api/forum/threads`, thread, headers)).status).toBe(201)
  }
  await Promise.all(PEOPLE.map((name) => eventually(() => open(name), { within: 60_000 })))
  const left = BACKLOG - (await eventsOfLogs(running))
  expect(left, 'log events that wait while the forum is asked').toBeGreaterThan(0)

  const began = Date.now()
  const waits: number[] = []
  async function keepOpening(name: string): Promise<void> {
    while (Date.now() - began < SECONDS * 1000) {
      const began = Date.now()
      await eventually(() => open(name))
      waits.push(Date.now() - began)
    }
  }
  await Promise.all(PEOPLE.map(keepOpening))
  console.log(
    `with ${left} log events waiting ${waits.length / SECONDS} commands a second, the longest wait ${Math.max(...waits)} ms`,
  )
  expect(waits.length / SECONDS).toBeGreaterThan(1)
  await eventually(async () => expect(await eventsOfLogs(running)).toBe(BACKLOG), { within: 240_000, every: 5000 })
})

/** The time until an answer over a connection of its own, which the process has to accept first. */
const answerMs = (url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const began = performance.now()
    get(url, { agent: false }, (response) => {
      response.resume().once('end', () => resolve(performance.now() - began))
    }).once('error', reject)
  })

async function lagOfLogs({ query }: Mill): Promise<number> {
  const text = await (await fetch(`${query}/metrics`)).text()
  return [...text.matchAll(/^millrace_lag\{topic="logs",.*\} (\d+)$/gm)].reduce((sum, [, lag]) => sum + Number(lag), 0)
}

test('while a backlog of log events is processed, the site answers', { timeout: 480_000 }, async () => {
  mill = await startMill({ pair: 'embedded' })
  const running = mill
  let isWritten = false
  const writing = writeLogEvents(running.publish).finally(() => (isWritten = true))
  const answers: number[] = []
  const sums: number[] = []
  while (!isWritten || (await lagOfLogs(running)) > 0) {
    answers.push(await answerMs(`${running.query}/health/live`))
    const began = performance.now()
    const sum = await send(`${running.publish}/api/sums`, { firstNumber: 2, secondNumber: 3 }, { prefer: 'wait=20' })
    expect(sum.status).toBe(200)
    sums.push(performance.now() - began)
  }
  await writing
  const longest = (times: number[]) => Math.round(Math.max(...times))
  console.log(`${answers.length} answers, the longest ${longest(answers)} ms; sums, the longest ${longest(sums)} ms`)
  expect(answers.length).toBeGreaterThan(10)
  expect(longest(answers)).toBeLessThan(5000)
  expect(longest(sums)).toBeLessThan(10_000)
})
