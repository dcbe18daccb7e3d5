import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createClient } from '#client/client.ts'
import type tutorials from '#domains/tutorials/domain.ts'
import { authorized } from '../auth/tokens.ts'
import { conforming } from '../conforming.ts'
import { discard, eventually, expectProblem, type Mill, send, startMill } from '../mill.ts'
import { sealOf } from '../trust.ts'

type Item = { id: string; title: string; time: string }

describe.each(inject('servings'))('on the %s', (serving) => {
  let mill: Mill
  let checked: typeof fetch
  beforeAll(async () => {
    mill = await startMill({ pair: inject('pair'), serving })
    checked = await conforming(mill.query)
  }, 60_000)
  afterAll(async () => {
    await mill?.stop()
    if (mill) discard(mill)
  })

  /** A client that checks every response against the site's API description. */
  const connect = () => createClient<{ tutorials: typeof tutorials }>({ url: mill, fetch: checked })
  const get = (path: string, headers: Record<string, string> = {}) => fetch(mill.query + path, { headers })
  const publish = (title: string, headers: Record<string, string> = {}) =>
    send(`${mill.publish}/api/tutorials`, { title }, headers)
  const wait = { prefer: 'wait=15' }

  test('a command is answered 202 with a receipt, applied, and read back after that receipt', async () => {
    const answer = await publish('Learn to mill')
    expect(answer.status).toBe(202)
    const { id, receipt } = (await answer.json()) as { id: string; receipt: string }
    expect(answer.headers.get('location')).toBe(receipt)
    await eventually(async () => expect(await (await get(receipt)).json()).toEqual({ id, status: 'applied' }))
    const one = await get(`/api/tutorials/${id}?after=${receipt}`)
    expect(await one.json()).toMatchObject({ id, title: 'Learn to mill' })
  })

  test('a client reads its own writes, whether it waits for them or not', async () => {
    const client = connect()
    for (const wait of [0, 15]) {
      const { id } = await client.tutorials.publish({ title: 'Read your own' }, { wait })
      expect(await client.tutorials.one({ id })).toMatchObject({ id, title: 'Read your own' })
    }
  })

  test('Prefer: wait returns 201 with the address of the result', async () => {
    const answer = await publish('Wait for me', wait)
    expect(answer.status).toBe(201)
    const { id } = (await answer.json()) as { id: string }
    expect(answer.headers.get('location')).toBe(`/api/tutorials/${id}`)
    expect(answer.headers.get('preference-applied')).toBe('wait')
    expect((await get(`/api/tutorials/${id}`)).status).toBe(200)
  })

  test('a repeated Idempotency-Key is one command, and the same key with another body is rejected without effect', async () => {
    const key = { 'idempotency-key': `key ${crypto.randomUUID()}`, ...wait }
    const first = (await (await publish('Once', key)).json()) as { id: string }
    const again = await publish('Once', key)
    expect(again.status).toBe(201)
    expect(await again.json()).toMatchObject({ id: first.id, status: 'applied' })
    const other = await expectProblem(await publish('Twice', key), 409)
    expect(other).toMatchObject({ outcome: 'rejected', reusedKey: true })
    expect(other).not.toHaveProperty('first')
    expect(await (await get(`/api/tutorials/${first.id}`)).json()).toMatchObject({ title: 'Once' })
  })

  test('a command without a key can be repeated by the address of its receipt', async () => {
    const { id, receipt } = (await (await publish('Again', wait)).json()) as { id: string; receipt: string }
    for (const key of [receipt.replace('/api/receipts/', ''), receipt, `${mill.publish}${receipt}`]) {
      const again = await publish('Again', { 'idempotency-key': key, ...wait })
      expect(await again.json(), key).toMatchObject({ id, status: 'applied' })
    }
  })

  test('clients of system A can POST a bare title to /api/publish and GET everything from /api/test', async () => {
    const title = `Über Mühlen ${crypto.randomUUID()}`
    const answer = await send(`${mill.publish}/api/publish`, title, { 'content-type': 'text/plain' })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('Tutorial published.')
    await eventually(async () => {
      const all = (await (await get('/api/test')).json()) as Item[]
      const found = all.filter((item) => item.title === title)
      expect(found).toEqual([{ id: expect.any(String), title }])
    })
  })

  test('pages have every document once in order, and NDJSON has the same', async () => {
    const client = connect()
    const titles = Array.from({ length: 25 }, (_, index) => `Page ${index} ${crypto.randomUUID()}`)
    await Promise.all(titles.map((title) => client.tutorials.publish({ title })))
    const met: Item[] = []
    for await (const item of client.tutorials.list.each({ limit: 7 })) met.push(item)
    expect(new Set(met.map(({ id }) => id)).size).toBe(met.length)
    expect(met.map(({ title }) => title)).toEqual(expect.arrayContaining(titles))
    const order = met.map(({ time, id }) => `${time} ${id}`)
    expect(order).toEqual([...order].sort())
    const lines: Item[] = []
    for await (const item of client.tutorials.list.lines()) lines.push(item)
    expect(lines).toEqual(met)
  })

  test('an unchanged page is 304', async () => {
    await publish('Tagged', wait)
    const path = '/api/tutorials?limit=1'
    const etag = (await get(path)).headers.get('etag') ?? ''
    expect(etag).toMatch(/^".+"$/)
    expect((await get(path, { 'if-none-match': etag })).status).toBe(304)
    expect((await get(path, { 'if-none-match': '"other"' })).status).toBe(200)
  })

  test('invalid commands are refused field by field with the trace id, and have no effect', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` }
    const problem = await expectProblem(await publish('  ', headers), 422)
    expect(problem).toMatchObject({ traceid: trace, errors: [{ field: 'title' }] })
    await expectProblem(await send(`${mill.publish}/api/tutorials`, { title: 'a', extra: 1 }), 422)
    await expectProblem(await send(`${mill.publish}/api/tutorials`, 'x', { 'content-type': 'text/csv' }), 415)
    await expectProblem(await send(`${mill.publish}/api/publish`, { title: 'a' }), 415)
    await expectProblem(await publish('a', { 'idempotency-key': 'x'.repeat(256) }), 400)
  })

  test('an unknown path is 404, and a known path with another method is 405', async () => {
    await expectProblem(await send(`${mill.publish}/api/nothing`, {}), 404)
    await expectProblem(await get('/api/nothing'), 404)
    await expectProblem(await get('/api/tutorials/nothing'), 404)
    await expectProblem(await get('/api/receipts/tutorials.a.b.c.d'), 404)
    const wrong = await fetch(`${mill.publish}/api/tutorials`, { method: 'DELETE' })
    expect(wrong.headers.get('allow')).toBe('GET, HEAD, POST')
    await expectProblem(wrong, 405)
    await expectProblem(await get('/api/tutorials?cursor=nonsense'), 400)
    await expectProblem(await get('/api/tutorials?limit=0'), 400)
  })

  test('a delivery of an unknown command is kept as a letter', async () => {
    const id = `letter-${crypto.randomUUID()}`
    const answer = await send(mill.persist, { anything: true }, delivery(id, 'nobody.knows', '{"anything":true}'))
    expect(answer.status).toBe(serving === 'framework' ? 204 : 422)
    const { items } = (await (await get('/api/letters?limit=1000', await authorized('administrator'))).json()) as {
      items: { id: string; error: string }[]
    }
    expect(items.find((letter) => letter.id === id)).toMatchObject({
      error: 'unknown command type nobody.knows',
      event: { id, data: '{"anything":true}' },
      record: { partition: 0, offset: 7 },
    })
  })

  test('a command delivered twice is one document', async () => {
    const id = crypto.randomUUID()
    const title = 'Delivered thrice'
    const headers = { ...delivery(id, 'tutorials.publish', title), 'content-type': 'text/vnd.millrace.title' }
    const answers = await Promise.all([1, 2, 3].map(() => send(mill.persist, title, headers)))
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204])
    const all = (await (await get('/api/test')).json()) as Item[]
    expect(all.filter((item) => item.id === id)).toEqual([{ id, title }])
  })

  test('a request that is not from a KafkaSource is not acknowledged', async () => {
    const { 'ce-knativekafkaoffset': _, ...headers } = delivery(crypto.randomUUID(), 'tutorials.publish', 'x')
    const answer = await send(mill.persist, 'x', { ...headers, 'content-type': 'text/vnd.millrace.title' })
    expect(answer.status).toBe(serving === 'framework' ? 500 : 404)
  })
})

/** The headers of a KafkaSource's delivery of a sealed record. */
const delivery = (id: string, type: string, value: string): Record<string, string> => ({
  'ce-specversion': '1.0',
  'ce-id': id,
  'ce-source': '/test',
  'ce-type': type,
  'ce-seal': sealOf(id, type, value),
  'ce-time': new Date().toISOString(),
  'ce-knativekafkapartition': '0',
  'ce-knativekafkaoffset': '7',
})
