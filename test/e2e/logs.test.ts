import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { discard, eventually, expectProblem, type Mill, send, startMill } from '../mill.ts'

type LogEvent = { id: string; message: string; level: string; attributes: Record<string, unknown> }
type Page = { items: LogEvent[]; next: string | null }

describe.each(inject('servings'))('on the %s', (serving) => {
  let mill: Mill
  beforeAll(async () => {
    mill = await startMill({ pair: inject('pair'), serving })
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

  test('lines of a batch are read back in their order, each organisation by itself, and a bad line is refused alone', async () => {
    const [ours, theirs] = [newOrganisation(), newOrganisation()]
    const lines = Array.from({ length: 300 }, (_, n) => event(n % 3 ? ours : theirs, `line ${n}`))
    const answer = await ndjson([...lines, event(ours, 'loud', { level: 'loudest' }), event(ours, 'the end')])
    expect(answer.status).toBe(207)
    const told = (await answer.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(told.filter(({ status }) => status === 202)).toHaveLength(301)
    expect(told[300]).toMatchObject({ line: 301, status: 422, errors: [{ field: 'level' }] })
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

  test('an event is kept as it was sent, with what it leaves out filled in', async () => {
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

  test('the same batch with its key again is there once', async () => {
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

  test('what is wrong is told field by field', async () => {
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
})
