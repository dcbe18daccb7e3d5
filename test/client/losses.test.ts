import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '#client/client.ts'
import type sums from '#domains/sums/domain.ts'
import type tutorials from '#domains/tutorials/domain.ts'
import { discard, type Mill, startMill } from '../mill.ts'
import { thrown } from './thrown.ts'

type Domains = { tutorials: typeof tutorials; sums: typeof sums }

/** The ways in which a network treats a request. */
type Fate = 'cut at once' | 'answer lost' | 'request lost' | 'cut in half' | 'away' | 'pass'

let mill: Mill
let line: Server
let url: string
let fates: Fate[] = []
let met: { fate: Fate; key: string | undefined }[] = []

beforeAll(async () => {
  mill = await startMill({ pair: 'embedded' })
  line = createServer((req, res) => void relay(req, res).catch(() => res.destroy()))
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(line.address() as AddressInfo).port}`
})
afterAll(async () => {
  line?.closeAllConnections()
  line?.close()
  await mill?.stop()
  if (mill) discard(mill)
})

async function relay(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk)
  const isAsked = req.url !== '/openapi.json'
  const fate = (isAsked && fates.shift()) || 'pass'
  if (isAsked) met.push({ fate, key: req.headers['idempotency-key'] as string | undefined })
  if (fate === 'request lost') return void res.destroy()
  if (fate === 'away') return void res.writeHead(503, { 'retry-after': '0' }).end('no upstream')
  const { host: _, connection: __, ...headers } = req.headers as Record<string, string>
  const answer = await fetch(mill.query + req.url, {
    method: req.method ?? 'GET',
    headers,
    ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
  })
  const text = await answer.text()
  if (fate === 'answer lost') return void res.destroy()
  const { 'content-length': ___, ...rest } = Object.fromEntries(answer.headers)
  res.writeHead(answer.status, rest)
  if (fate === 'cut at once') return void res.write('{', () => res.destroy())
  if (fate === 'cut in half') return void res.write(text.slice(0, text.length / 2), () => res.destroy())
  res.end(text)
}

const direct = () => createClient<Domains>({ url: mill.query })

/** A client on a network that treats one request after the other in these ways, and passes the rest. */
function behind(...of: Fate[]) {
  fates = of
  met = []
  return createClient<Domains>({ url })
}

test('a command takes effect once, whatever the network loses', async () => {
  const title = crypto.randomUUID()
  const client = behind('request lost', 'answer lost', 'away', 'cut in half')
  const { id } = await client.tutorials.publish({ title })
  expect(met.map(({ fate }) => fate)).toEqual(['request lost', 'answer lost', 'away', 'cut in half', 'pass'])
  expect(new Set(met.map(({ key }) => key)).size).toBe(1)
  const all: string[] = []
  for await (const item of direct().tutorials.list.each()) if (item.title === title) all.push(item.id)
  expect(all).toEqual([id])
})

test('a command fails after all attempts with the key to repeat it with', async () => {
  const title = crypto.randomUUID()
  const client = behind(...Array<Fate>(5).fill('answer lost'))
  const { status, key } = await thrown(client.tutorials.publish({ title }))
  expect(status).toBe(0)
  expect(met).toHaveLength(5)
  expect(key).toBe(met[0]?.key)
  const { id } = await direct().tutorials.publish({ title }, { key: key ?? '' })
  expect(await direct().tutorials.one({ id })).toMatchObject({ title })
})

test('a refused command is not retried', async () => {
  expect(await thrown(behind().tutorials.publish({ title: ' ' }))).toMatchObject({ status: 422 })
  expect(met).toHaveLength(1)
})

test('a read is retried too', async () => {
  expect(await behind('answer lost', 'cut in half', 'away').sums.total()).toBeTypeOf('bigint')
  expect(met).toHaveLength(4)
})

test('lines() resumes after the last complete line', async () => {
  const client = direct()
  const key = crypto.randomUUID()
  for (let n = 0; n < 10; n++) await client.tutorials.publish({ title: `${key} ${n}` })
  const whole: string[] = []
  for await (const { id } of client.tutorials.list.lines()) whole.push(id)
  const cut: string[] = []
  for await (const { id } of behind('cut in half', 'cut in half').tutorials.list.lines()) cut.push(id)
  expect(cut).toEqual(whole)
  expect(met).toHaveLength(3)
})

test('lines() fails after all attempts without a line', async () => {
  const once = behind(...Array<Fate>(4).fill('cut at once')).tutorials.list.lines()
  expect((await once.next()).done).toBe(false)
  const never = behind(...Array<Fate>(5).fill('cut at once')).tutorials.list.lines()
  await expect(never.next()).rejects.toMatchObject({ status: 0 })
})
