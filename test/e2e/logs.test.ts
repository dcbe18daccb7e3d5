import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createClient } from '#client/client.ts'
import type logs from '#domains/logs/domain.ts'
import { discard, eventually, expectProblem, type Mill, send, startMill } from '../mill.ts'

type LogEvent = { id: string; message: string; level: string; attributes: Record<string, unknown> }
type Page = { items: LogEvent[]; next: string | null }

describe.each(inject('servings'))('on the %s', (serving) => {
  let mill: Mill
  beforeAll(async () => {
    mill = await startMill({
      pair: inject('pair'),
      serving,
      env: { ANONYMOUS_SCOPES: 'tutorials:read logs:read logs:write logs:all' },
    })
  }, 60_000)
  afterAll(async () => {
    await mill?.stop()
    if (mill) discard(mill)
  })

  let organisations = 0
  const newOrganisation = () => `org-${++organisations}`
  const event = (organizationId: string, message: string, more = {}) => ({
    organizationId,
    level: 'info',
    message,
    service: 'till',
    ...more,
  })
  const ndjson = (lines: unknown[], headers = {}) =>
    send(`${mill.publish}/api/logs`, lines.map((line) => JSON.stringify(line)).join('\n'), {
      'content-type': 'application/x-ndjson',
      ...headers,
    })
  const page = async (organizationId: string, params = ''): Promise<Page> =>
    (await (await fetch(`${mill.query}/api/logs?organizationId=${organizationId}${params}`)).json()) as Page

  test('lines of a batch are read back in order for each organisation, and an invalid line is refused alone', async () => {
    const [ours, theirs] = [newOrganisation(), newOrganisation()]
    const lines = Array.from({ length: 300 }, (_, n) => event(n % 3 ? ours : theirs, `line ${n}`))
    const answer = await ndjson([...lines, event(ours, 'loud', { level: 'loudest' }), event(ours, 'the end')])
    expect(answer.status).toBe(207)
    const results = (await answer.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(results.filter(({ status }) => status === 202)).toHaveLength(301)
    expect(results[300]).toMatchObject({ line: 301, status: 422, errors: [{ field: 'level' }] })
    await eventually(
      async () => {
        const { items } = await page(ours, '&limit=1000')
        const sent = lines.filter(({ organizationId }) => organizationId === ours).map(({ message }) => message)
        expect(items.map(({ message }) => message)).toEqual([...sent, 'the end'])
        expect((await page(theirs, '&limit=1000')).items).toHaveLength(100)
      },
      { within: 30_000 },
    )
  })

  test('an event is read back as it was sent, with defaults for missing fields', async () => {
    const organizationId = newOrganisation()
    const attributes = { 'http.status': 502, retried: true, path: '/Grüße', none: null }
    const full = { timestamp: '2030-01-01T02:00:00+02:00', traceId: 'a'.repeat(32), attributes }
    const one = await send(`${mill.publish}/api/logs`, event(organizationId, 'Ünïcode 😀', { level: 'fatal', ...full }))
    expect(one.status).toBe(202)
    const { receipt } = (await one.json()) as { receipt: string }
    await eventually(
      async () => {
        const [item] = (await page(organizationId, `&after=${receipt}`)).items
        expect(item).toMatchObject({
          organizationId,
          level: 'fatal',
          message: 'Ünïcode 😀',
          service: 'till',
          timestamp: '2030-01-01T00:00:00.000Z',
          traceId: full.traceId,
          attributes,
        })
        expect(Object.keys(item ?? {})).not.toContain('words')
      },
      { within: 30_000 },
    )
  })

  test('a batch that is repeated with its key is stored once', async () => {
    const organizationId = newOrganisation()
    const key = { 'idempotency-key': crypto.randomUUID() }
    const lines = [event(organizationId, 'one'), event(organizationId, 'two')]
    for (let time = 0; time < 3; time++) expect((await ndjson(lines, key)).status).toBe(202)
    const last = (await (await send(`${mill.publish}/api/logs`, event(organizationId, 'last'))).json()) as {
      receipt: string
    }
    await eventually(
      async () => {
        const { items } = await page(organizationId, `&after=${last.receipt}`)
        expect(items.map(({ message }) => message)).toEqual(['one', 'two', 'last'])
      },
      { within: 30_000 },
    )
  })

  test('invalid lines are reported field by field', async () => {
    const wrong = await send(`${mill.publish}/api/logs`, event('no spaces here', '', { attributes: { a: {} } }))
    const { errors } = await expectProblem(wrong, 422)
    expect((errors as { field: string }[]).map(({ field }) => field)).toEqual([
      'organizationId',
      'message',
      'attributes.a',
    ])
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`a${n}`, n]))
    await expectProblem(await send(`${mill.publish}/api/logs`, event('a', 'b', { attributes: many })), 422)
  })

  test('a live stream has the matching new events, and resumes after a disconnect', async () => {
    const [ours, theirs] = [newOrganisation(), newOrganisation()]
    const listen = async (lastEventId?: string) => {
      const stop = new AbortController()
      const answer = await fetch(`${mill.query}/api/logs/live?organizationId=${ours}&level=warn`, {
        headers: lastEventId ? { 'last-event-id': lastEventId } : {},
        signal: stop.signal,
      })
      expect(answer.headers.get('content-type')).toContain('text/event-stream')
      const reader = (answer.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      const until = async (what: string) => {
        while (!text.includes(what))
          text += (await reader.read()).value ?? Promise.reject(new Error(`it ended:\n${text}`))
        return [...text.matchAll(/"message":"([^"]+)"/g)].map(([, message]) => message)
      }
      return { until, id: () => /id: (\S+)(?![\s\S]*id: )/.exec(text)?.[1], stop: () => stop.abort() }
    }
    const warn = (organizationId: string, message: string) => event(organizationId, message, { level: 'warn' })
    const first = await listen()
    await first.until('event: begun')
    await ndjson([warn(ours, 'one'), event(ours, 'quiet'), warn(theirs, 'not ours'), warn(ours, 'two')])
    expect(await first.until('"two"')).toEqual(['one', 'two'])
    first.stop()
    await ndjson([warn(ours, 'three'), warn(ours, 'four')])
    const second = await listen(first.id())
    expect(await second.until('"four"')).toEqual(['three', 'four'])
    second.stop()
  })

  test('the typed client reads its own writes in lists and counts', async () => {
    const client = createClient<{ logs: typeof logs }>({ url: mill })
    const organizationId = newOrganisation()
    await client.logs.write({ organizationId, level: 'error', message: 'one', service: 'till', traceId: 'typed' })
    const { items } = await client.logs.list({ organizationId, level: 'error' })
    expect(items).toMatchObject([{ message: 'one', level: 'error', traceId: 'typed' }])
    await client.logs.write({ organizationId, level: 'info', message: 'two', service: 'till' })
    const messages: string[] = []
    for await (const { message } of client.logs.list.each({ organizationId, order: 'newest' })) messages.push(message)
    expect(messages).toEqual(['two', 'one'])
    const { items: groups } = await client.logs.stats({ organizationId, by: 'day' })
    expect(groups.map(({ level, count }) => [level, count])).toEqual([
      ['info', 1],
      ['error', 1],
    ])
  })

  describe('given events of a shop', () => {
    const organizationId = 'shop'
    const written = [
      { level: 'info', service: 'till', message: 'Order 17 accepted', traceId: 't-1' },
      { level: 'warn', service: 'till', message: 'Card reader is slow' },
      { level: 'debug', service: 'stock', message: 'Kettle: 3 left, order more' },
      { level: 'error', service: 'till', message: 'Order 18 failed: card declined', traceId: 't-2' },
      { level: 'fatal', service: 'stock', message: 'Out of memory', traceId: 't-2' },
      { level: 'info', service: 'till', message: 'Order 19 accepted' },
    ]
    beforeAll(async () => {
      expect((await ndjson(written.map((event) => ({ organizationId, ...event })))).status).toBe(202)
      await eventually(async () => expect((await page(organizationId)).items).toHaveLength(written.length), {
        within: 30_000,
      })
    }, 60_000)

    const numbers = (items: LogEvent[]) =>
      items.map(({ message }) => written.findIndex((event) => event.message === message))
    const found = async (params: string) => numbers((await page(organizationId, params)).items)

    test.each([
      ['all', '', [0, 1, 2, 3, 4, 5]],
      ['the newest first', '&order=newest', [5, 4, 3, 2, 1, 0]],
      ['a level and worse ones', '&level=warn', [1, 3, 4]],
      ['a level, newest first', '&level=info&order=newest', [5, 4, 3, 1, 0]],
      ['a service', '&service=stock', [2, 4]],
      ['a service and a level', '&service=till&level=warn', [1, 3]],
      ['a trace', '&traceId=t-2', [3, 4]],
      ['a word, in any case', '&text=ORDER', [0, 2, 3, 5]],
      ['words in any order, also of the service', '&text=accepted%20order%20till', [0, 5]],
      ['a word and a level', '&text=order&level=error', [3]],
      ['a word that nobody said', '&text=teapot', []],
      ['nothing that is a word', '&text=---', [0, 1, 2, 3, 4, 5]],
      ['a time before all', '&to=2020-01-01T00:00:00Z', []],
      ['a time until now', '&from=2020-01-01T01:00:00%2B01:00', [0, 1, 2, 3, 4, 5]],
      ['a time, newest first, and a word', '&from=2020-01-01T00:00:00Z&order=newest&text=order', [5, 3, 2, 0]],
    ])('a list finds %s', async (_, params, expected) => {
      expect(await found(params)).toEqual(expected)
    })

    test.each(['', '&level=info', '&order=newest', '&text=order', '&from=2020-01-01T00:00:00Z'])(
      'the pages of %j have the same events as one large page',
      async (params) => {
        const all: LogEvent[] = []
        for (let cursor = ''; ; ) {
          const { items, next } = await page(organizationId, `${params}&limit=1${cursor}`)
          all.push(...items)
          if (next === null) break
          cursor = `&cursor=${next}`
        }
        expect(numbers(all)).toEqual(await found(params))
      },
    )

    test('the counts are grouped by level and by minute, hour or day', async () => {
      const stats = async (params: string) => {
        const answer = await fetch(`${mill.query}/api/logs/stats?organizationId=${organizationId}${params}`)
        return ((await answer.json()) as { items: { period: string; level: string; count: number }[] }).items
      }
      const events = (await page(organizationId)).items as unknown as { time: string; level: string }[]
      const time = events[0]?.time
      for (const [by, rest] of [
        ['minute', ':00.000Z'],
        ['hour', ':00:00.000Z'],
        ['day', 'T00:00:00.000Z'],
      ] as const) {
        const counted = await stats(`&by=${by}`)
        const names = events.map(({ time, level }) => `${time.slice(0, -rest.length)}${rest} ${level}`)
        expect(counted.flatMap(({ period, level, count }) => Array(count).fill(`${period} ${level}`)).sort()).toEqual(
          names.sort(),
        )
      }
      expect(await stats('&to=2020-01-01T00:00:00Z')).toEqual([])
      expect(await stats(`&from=${time}&by=day`)).toHaveLength(5)
    })

    test('NDJSON resumes after the cursor of any line', async () => {
      const lines = async (params: string) => {
        const url = `${mill.query}/api/logs?organizationId=${organizationId}${params}`
        const answer = await fetch(url, { headers: { accept: 'application/x-ndjson' } })
        const text = (await answer.text()).trim()
        return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as LogEvent & { cursor: string })
      }
      const all = await lines('&level=info')
      expect(numbers(all)).toEqual([0, 1, 3, 4, 5])
      expect(numbers(await lines(`&level=info&cursor=${all[2]?.cursor}`))).toEqual([4, 5])
      expect(await lines(`&level=info&cursor=${all[4]?.cursor}`)).toEqual([])
    })

    test('an invalid parameter is reported by its name', async () => {
      await expectProblem(await fetch(`${mill.query}/api/logs`), 400)
      for (const wrong of ['level=loud', 'from=yesterday', 'order=random', 'limit=0', 'color=red']) {
        const problem = await expectProblem(await fetch(`${mill.query}/api/logs?organizationId=shop&${wrong}`), 400)
        expect((problem.errors as { field: string }[])[0]?.field).toBe(wrong === 'color=red' ? '' : wrong.split('=')[0])
      }
    })
  })
})
