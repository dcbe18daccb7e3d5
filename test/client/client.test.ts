import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '#client/client.ts'
import type forum from '#domains/forum/domain.ts'
import type logs from '#domains/logs/domain.ts'
import type sums from '#domains/sums/domain.ts'
import type tutorials from '#domains/tutorials/domain.ts'
import { conforming } from '../conforming.ts'
import { discard, type Mill, startMill } from '../mill.ts'
import { thrown } from './thrown.ts'

type Domains = { tutorials: typeof tutorials; sums: typeof sums }

const OPEN = 'tutorials:read tutorials:write sums:read sums:write logs:read logs:write logs:all'

let mill: Mill
let checked: typeof fetch

beforeAll(async () => {
  mill = await startMill({ pair: 'embedded', env: { ANONYMOUS_SCOPES: OPEN } })
  checked = await conforming(mill.query)
}, 60_000)

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

const connect = (options = {}) => createClient<Domains>({ url: mill.query, fetch: checked, ...options })

test('a command resolves to its outcome, and a read has its effect', async () => {
  const client = connect()
  const { id, status } = await client.tutorials.publish({ title: 'Learn to mill' })
  expect(status).toBe('applied')
  expect(await client.tutorials.one({ id })).toMatchObject({ id, title: 'Learn to mill' })
  expect(await client.sums.add({ firstNumber: 2, secondNumber: 3 })).toEqual({ result: 5 })
  expect(await client.sums.total()).toBe(5n)
})

test('a caller who does not wait reads its own writes nevertheless', async () => {
  const client = connect()
  for (let n = 0; n < 20; n++) {
    const { id, status } = await client.tutorials.publish({ title: `Unwaited ${n}` }, { wait: 0 })
    expect(status).toBe('pending')
    expect(await client.tutorials.one({ id })).toMatchObject({ title: `Unwaited ${n}` })
  }
})

test('a read waits for each pending command once, and for nothing else', async () => {
  const reads: string[] = []
  const client = connect({
    fetch: (input: string, init: RequestInit) => {
      if (init.method === 'GET') reads.push(new URL(input).search.replace(/=[^&]*/g, ''))
      return checked(input, init)
    },
  })
  const add = (wait: number) => client.sums.add({ firstNumber: 1, secondNumber: 1 }, { wait })
  await client.sums.total()
  for (const wait of [15, 0]) {
    await add(wait)
    await client.sums.total()
    await client.sums.total()
  }
  await Promise.all([add(0), add(0)])
  await client.sums.total()
  expect(reads).toEqual(['', '', '', '', '?after', '', '?after&after'])
})

test('a read waits for several pending commands', async () => {
  const client = connect()
  const sent = await Promise.all([1, 2, 3].map((n) => client.tutorials.publish({ title: `${n}` }, { wait: 0 })))
  const { id } = sent[0] as { id: string }
  expect(await client.tutorials.one({ id })).toMatchObject({ title: '1' })
})

test.each(['..', '.', ''])('refuses a value that would change the path: "%s"', async (id) => {
  const sent: string[] = []
  const client = createClient<{ forum: typeof forum }>({
    url: mill.query,
    fetch(input, init) {
      sent.push(new URL(String(input)).pathname)
      return checked(input, init)
    },
  })
  const refused = { name: 'TypeError', message: expect.stringContaining(`cannot have "${id}" as threadId`) }
  await expect(client.forum.bans.add({ threadId: id, accountId: 'bob' })).rejects.toMatchObject(refused)
  await expect(client.forum.threads.one({ threadId: id })).rejects.toMatchObject(refused)
  await expect(client.forum.threads.live.each({ threadId: id }).next()).rejects.toMatchObject(refused)
  expect(sent).toEqual(['/openapi.json'])
})

test('each() reads pages only as far as needed', async () => {
  let asked = 0
  const counted: typeof fetch = (...args) => {
    asked++
    return checked(...args)
  }
  const client = connect({ fetch: counted })
  const key = crypto.randomUUID()
  await Promise.all(Array.from({ length: 12 }, (_, n) => client.tutorials.publish({ title: `${key} ${n}` })))
  const all: string[] = []
  for await (const { title } of client.tutorials.list.each({ limit: 5 })) if (title.startsWith(key)) all.push(title)
  expect(all).toHaveLength(12)
  expect(new Set(all).size).toBe(12)
  asked = 0
  for await (const _ of client.tutorials.list.each({ limit: 5 })) break
  expect(asked).toBe(1)
  const page = await client.tutorials.list({ limit: 3 })
  expect(page.items).toHaveLength(3)
  expect((await client.tutorials.list({ limit: 3, cursor: page.next ?? '' })).items).not.toEqual(page.items)
})

test('a refused command is a problem with the reason and the key', async () => {
  const client = connect()
  const invalid = await thrown(client.tutorials.publish({ title: ' ' }))
  expect(invalid).toMatchObject({ status: 422, errors: [{ field: 'title' }], traceid: expect.any(String) })
  const key = crypto.randomUUID()
  await client.tutorials.publish({ title: 'a' }, { key })
  const rejected = await thrown(client.tutorials.publish({ title: 'b' }, { key }))
  expect(rejected).toMatchObject({ status: 409, outcome: 'rejected', key })
  expect(await thrown(client.sums.add({ firstNumber: 1, secondNumber: 1 }, { version: 7 }))).toMatchObject({
    status: 412,
  })
  expect(await thrown(client.tutorials.one({ id: 'nothing/of it' }))).toMatchObject({ status: 404 })
})

test('a batch resolves to one result a line, and a read has its effects', async () => {
  const client = createClient<{ logs: typeof logs }>({ url: mill.query, fetch: checked })
  const organizationId = crypto.randomUUID()
  const event = (message: string) => ({ organizationId, level: 'info' as const, service: 'mill', message })
  const lines = await client.logs.write([event('one'), event(''), event('three')])
  expect(lines).toMatchObject([
    { line: 1, status: 202 },
    { line: 2, status: 422 },
    { line: 3, status: 202 },
  ])
  const { items } = await client.logs.list({ organizationId })
  expect(items.map(({ message }) => message)).toEqual(['one', 'three'])
})

test('every request has the current token', async () => {
  const tokens: (string | null)[] = []
  let count = 0
  const client = connect({
    token: () => `${++count}`,
    fetch: (input: string, init: RequestInit) => {
      tokens.push(new Headers(init.headers).get('authorization'))
      return checked(input, { ...init, headers: {} })
    },
  })
  await client.sums.total()
  await client.sums.total()
  expect(tokens).toEqual(['Bearer 1', 'Bearer 2', 'Bearer 3'])
})

test('an unknown operation and a missing path parameter are errors with their names', async () => {
  const client = connect() as unknown as { [domain: string]: { [name: string]: () => Promise<unknown> } }
  await expect(client.sums?.subtract?.()).rejects.toThrow('sums.subtract')
  await expect(client.tutorials?.one?.()).rejects.toThrow('needs id')
})

test('two clients with one key send one command, and both read it', async () => {
  const [one, other] = [connect(), connect()]
  const key = crypto.randomUUID()
  const sent = await Promise.all([one, other].map((tab) => tab.tutorials.publish({ title: key }, { key })))
  expect(sent[0]?.id).toBe(sent[1]?.id)
  for (const tab of [one, other]) {
    const titles: string[] = []
    for await (const { title } of tab.tutorials.list.lines()) if (title === key) titles.push(title)
    expect(titles).toEqual([key])
  }
})

test("the caller's signal aborts a request", async () => {
  const client = connect()
  await client.sums.total()
  await expect(client.sums.total({}, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  const late = new AbortController()
  const hanging = createClient<Domains>({
    url: mill.query,
    fetch: (input, init) => {
      if (String(input).endsWith('.json')) return fetch(input, init)
      late.abort(new Error('gone away'))
      return fetch(input, init)
    },
  })
  await expect(hanging.sums.total({}, { signal: late.signal })).rejects.toThrow('gone away')
})

test('the client is a few kilobytes in a browser and imports nothing else', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: ['client/client.ts'],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
  })
  expect(Object.keys(metafile.inputs).every((path) => path.startsWith('client/'))).toBe(true)
  expect(gzipSync(outputFiles[0]?.contents ?? '').length).toBeLessThan(3500)
})
