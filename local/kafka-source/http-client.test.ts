import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { type Clock, systemClock } from '#core/clock.ts'
import { manualClock } from '#test/clock.ts'
import { type Receiver, type Reply, receiver } from '#test/receiver.ts'
import { httpClient } from './http-client.ts'

const posting = { headers: { 'ce-id': 'id-1', 'content-type': 'text/plain' }, body: 'data' }
const opened: { close(): unknown }[] = []

async function receiving(reply: Parameters<typeof receiver>[0]): Promise<Receiver> {
  const server = await receiver(reply)
  opened.push(server)
  return server
}

function posting1s(clock = manualClock()) {
  const posts = httpClient(clock, { timeoutMs: 1000 })
  opened.push(posts)
  return { clock, ...posts }
}

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close()
})

const never = () => new Promise<Reply>(() => {})

test('posts headers and body, and resolves with the status and the first 1,024 bytes of the response', async () => {
  const server = await receiving(() => ({ status: 422, body: 'x'.repeat(100_000) }))
  const { post } = posting1s()
  const answer = await post(`${server.url}persist?a=b`, posting)
  expect(answer.status).toBe(422)
  expect(answer.head.toString()).toBe('x'.repeat(1024))
  expect(server.received[0]).toMatchObject({ headers: posting.headers, body: Buffer.from('data') })
})

test('an event without data has an empty body', async () => {
  const server = await receiving(() => ({ status: 204 }))
  await posting1s().post(server.url, { ...posting, body: null })
  expect(server.received[0]?.headers['content-length']).toBe('0')
})

test('a header value beyond ASCII goes out as Latin-1, a byte for each character', async () => {
  const bytes = Promise.withResolvers<string>()
  const raw = createServer((socket) =>
    socket.once('data', (data) => {
      bytes.resolve(data.toString('latin1'))
      socket.end('HTTP/1.1 204 No Content\r\n\r\n')
    }),
  )
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve))
  opened.push(raw)
  const headers = { 'ce-id': 'id-1', 'ce-subject': 'gr\xfc\xdfe\x85\t?' }
  await posting1s().post(`http://127.0.0.1:${(raw.address() as AddressInfo).port}/`, { headers, body: 'data' })
  expect(await bytes.promise).toContain('\r\nce-subject: gr\xfc\xdfe\x85\t?\r\n')
})

test('given no connection, then there is no status', async () => {
  const server = await receiver(() => ({ status: 204 }))
  server.close()
  expect(await posting1s().post(server.url, posting)).toMatchObject({ status: undefined })
})

test('given a response after the time-out, then there is no status, and later requests have their own time-out', async () => {
  const server = await receiving(never)
  const { post, clock } = posting1s()
  const first = post(server.url, posting)
  await clock.advance(600)
  let later: unknown
  const second = post(server.url, posting).then((answer) => {
    later = answer
  })
  await vi.waitFor(() => expect(server.received).toHaveLength(2))
  await clock.advance(400)
  expect(await first).toMatchObject({ status: undefined })
  expect(later).toBeUndefined()
  await clock.advance(600)
  await second
  expect(later).toMatchObject({ status: undefined })
})

test('given a connection that is never made, then there is no status after the time-out', async () => {
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  opened.push(silent)
  const connecting = once(silent, 'connection')
  const { post, clock } = posting1s()
  const answer = post(`https://127.0.0.1:${(silent.address() as AddressInfo).port}/`, posting)
  await connecting
  await clock.advance(1000)
  expect(await answer).toMatchObject({ status: undefined })
})

test('given a connection after the time-out, then the request is not sent', async () => {
  const server = await receiving(() => ({ status: 204 }))
  let isLate = true
  const clock: Clock = { now: () => 0, sleep: () => (isLate ? Promise.resolve() : new Promise(() => {})) }
  const posts = httpClient(clock, { timeoutMs: 1000 })
  opened.push(posts)
  expect(await posts.post(server.url, { ...posting, body: 'late' })).toMatchObject({ status: undefined })
  isLate = false
  expect(await posts.post(server.url, { ...posting, body: 'in time' })).toMatchObject({ status: 204 })
  expect(server.received.map(({ body }) => body.toString())).toEqual(['in time'])
})

test('given responses in time, then no request is aborted later', async () => {
  const server = await receiving(() => ({ status: 204 }))
  const { post, clock } = posting1s()
  for (let n = 0; n < 5; n++) {
    expect(await post(server.url, posting)).toMatchObject({ status: 204 })
    await clock.advance(700)
  }
})

test('closing aborts the requests in flight and leaves no timer behind', async () => {
  const server = await receiving(never)
  const posts = posting1s()
  const answer = posts.post(server.url, posting)
  await vi.waitFor(() => expect(server.received).toHaveLength(1))
  await posts.close()
  expect(await answer).toMatchObject({ status: undefined })
  expect(posts.clock.sleepers()).toBe(0)
  expect(await posts.post(server.url, posting)).toMatchObject({ status: undefined })
})

test('with the system clock the time-out passes in real time', async () => {
  const server = await receiving(never)
  const posts = httpClient(systemClock, { timeoutMs: 20 })
  opened.push(posts)
  expect(await posts.post(server.url, posting)).toMatchObject({ status: undefined })
})
