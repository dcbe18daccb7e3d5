import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { discard, eventually, type Mill, send, startMill } from '../mill.ts'

const GREEDY = 40
const BEHIND = 50
/** The events of others between the positions of the greedy and the calm client, which each catch-up reads. */
const BETWEEN = 5000

let mill: Mill
/** The `Last-Event-ID`s of our events, in order. */
let ids: string[]

beforeAll(async () => {
  const env = { ANONYMOUS_SCOPES: 'logs:read logs:write logs:all' }
  mill = await startMill({ pair: inject('pair'), env })
  const listener = listen()
  await eventually(async () => expect(listener.text()).toContain('event: begun'))
  await write('ours', GREEDY)
  await eventually(async () => expect(listener.ids()).toHaveLength(GREEDY))
  for (let written = 0; written < BETWEEN; written += 5000) await write('theirs', 5000)
  await eventually(async () => expect(await count('theirs')).toBe(BETWEEN), { within: 90_000, every: 200 })
  await write('ours', BEHIND + 1)
  await eventually(async () => expect(listener.ids()).toHaveLength(GREEDY + BEHIND + 1))
  ids = listener.ids()
  await listener.stop()
}, 240_000)

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

async function write(organizationId: string, count: number): Promise<void> {
  const line = (at: number) => ({ organizationId, level: 'info', message: `event ${at}`, service: 'till' })
  const lines = Array.from({ length: count }, (_, at) => JSON.stringify(line(at)))
  const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': crypto.randomUUID() }
  // A new topic has no leader for a moment.
  await eventually(
    async () => {
      expect((await send(`${mill.publish}/api/logs`, lines.join('\n'), headers)).status).toBe(202)
    },
    { within: 60_000 },
  )
}

async function count(organizationId: string): Promise<number> {
  const answer = await fetch(`${mill.query}/api/logs/stats?organizationId=${organizationId}`)
  const { items } = (await answer.json()) as { items: { count: number }[] }
  return items.reduce((sum, { count }) => sum + count, 0)
}

/** A client's stream of our events. All clients have the same address and no token. */
function listen(lastEventId?: string) {
  const stop = new AbortController()
  let text = ''
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const reading = (async () => {
    const url = `${mill.query}/api/logs/live?organizationId=ours`
    const { body } = await fetch(url, { headers, signal: stop.signal })
    for await (const chunk of body ?? []) text += Buffer.from(chunk).toString()
  })().catch(() => undefined)
  return {
    text: () => text,
    /** The ids of the events, with that of `begun`. */
    ids: () => [...text.matchAll(/^data: \{"id".*\nid: (.*)$/gm)].map(([, id = '']) => id),
    stop: () => {
      stop.abort()
      return reading
    },
  }
}

/** The milliseconds until a client that is 50 events behind has them all. */
async function calmWait(): Promise<number> {
  const began = performance.now()
  const calm = listen(ids.at(-1 - BEHIND))
  await eventually(async () => expect(calm.ids()).toEqual(ids.slice(-BEHIND)), { within: 90_000 })
  await calm.stop()
  return performance.now() - began
}

test('given 40 connections that are far behind, one that is 50 events behind waits hardly longer than without them', async () => {
  const alone = await calmWait()
  // The newest position comes first, so that no read passes the position of another client.
  const greedy = ids.slice(0, GREEDY).toReversed().map(listen)
  const together = await calmWait()
  const late = await calmWait()
  expect(Math.max(together, late), `alone ${alone}, together ${together}, ${late}`).toBeLessThan(2 * alone + 2000)
  const expected = (at: number) => ids.slice(GREEDY - at)
  await eventually(
    async () => {
      for (const [at, client] of greedy.entries()) expect(client.ids()).toEqual(expected(at))
    },
    { within: 90_000 },
  )
  await Promise.all(greedy.map(({ stop }) => stop()))
})

test.each(['null', 'bnVsbA', 'e30', 'eyJfZGF0YSI6bnVsbH0', '-1', '$$$'])(
  'given the invalid Last-Event-ID %s, the stream begins with a reset',
  async (id) => {
    const lost = listen(id)
    await eventually(async () => expect(lost.text()).toContain('event: reset'))
    await lost.stop()
  },
)
