import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { authorized, trustedIssuer } from '../auth/tokens.ts'
import { percentile, sorted } from '../bench/percentile.ts'
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

async function writeLogEvents(url: string, count = BACKLOG): Promise<void> {
  const headers = { ...(await authorized('collector')), 'content-type': 'application/x-ndjson' }
  const line = JSON.stringify({ organizationId: 'acme', level: 'info', service: 'mill', message: 'It turns' })
  for (let sent = 0; sent < count; sent += 4000) {
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

/** The address of a new post in a new thread. */
async function newPost({ publish }: Mill): Promise<string> {
  const headers = { ...(await authorized('member')), prefer: 'wait=20' }
  const locationOf = async (url: string, body: object) =>
    `${publish}${(await send(url, body, headers)).headers.get('location')}`
  const thread = await locationOf(`${publish}/api/forum/threads`, { title: 'Kettles', text: 'Which one?' })
  return await locationOf(`${thread}/posts`, { text: 'The red one' })
}

test('while 48,000 log events are processed, the site answers, and votes are counted', {
  timeout: 600_000,
}, async () => {
  mill = await startMill({ pair: 'embedded' })
  const running = mill
  const post = await newPost(running)
  const headers = { ...(await authorized('member2')), 'content-type': 'application/json', prefer: 'wait=20' }
  const vote = (value: number) => fetch(`${post}/vote`, { method: 'PUT', headers, body: JSON.stringify({ value }) })

  let isWritten = false
  const writing = writeLogEvents(running.publish, 48_000).finally(() => (isWritten = true))
  const answers: number[] = []
  const votes: number[] = []
  while (!isWritten || (await lagOfLogs(running)) > 0) {
    answers.push(await answerMs(`${running.query}/health/live`))
    const began = performance.now()
    expect((await vote(votes.length % 2 === 0 ? 1 : -1)).status).toBe(200)
    votes.push(performance.now() - began)
  }
  await writing
  const [answered, voted] = [sorted(answers), sorted(votes)]
  const told = [answered, voted].map((times) => [0.5, 0.99, 1].map((share) => Math.round(percentile(times, share))))
  console.log(`${votes.length} times, p50, p99 and longest ms: answers ${told[0]}; votes ${told[1]}`)
  expect(votes.length).toBeGreaterThan(20)
  expect(percentile(answered, 0.99)).toBeLessThan(500)
  expect(percentile(answered, 1)).toBeLessThan(5000)
  expect(percentile(voted, 0.99)).toBeLessThan(2000)
  expect(percentile(voted, 1)).toBeLessThan(10_000)
})
