import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { authorized } from '../auth/tokens.ts'
import { discard, expectProblem, type Mill, send, startMill } from '../mill.ts'
import { sealOf } from '../trust.ts'

type Letter = { id: string; error: string }

describe.each(inject('servings'))('on the %s', (serving) => {
  let mill: Mill
  beforeAll(async () => {
    mill = await startMill({ pair: inject('pair'), serving })
  }, 60_000)
  afterAll(async () => {
    await mill?.stop()
    if (mill) discard(mill)
  })

  const operator = async () => ({ prefer: 'wait=20', ...(await authorized('administrator')) })
  const ask = async (what: string, body: unknown) => send(`${mill.publish}/api/letters/${what}`, body, await operator())
  const read = async (path: string) => fetch(mill.query + path, { headers: await operator() })
  const get = async (path: string) => (await read(path)).json() as Promise<Record<string, unknown>>

  /** Delivers a record that persist cannot apply, as a KafkaSource does. */
  async function letter(): Promise<string> {
    const id = `letter-${crypto.randomUUID()}`
    const value = JSON.stringify({ never: 'mind' })
    await send(mill.persist, value, {
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-source': '/test',
      'ce-type': 'nobody.knows',
      'ce-seal': sealOf(id, 'nobody.knows', value),
      'ce-time': new Date().toISOString(),
      'ce-knativekafkapartition': '0',
      'ce-knativekafkaoffset': '0',
    })
    return id
  }

  test('a letter has its event, and a failed redrive keeps it and says why', async () => {
    const id = await letter()
    expect(await get(`/api/letters/${id}`)).toMatchObject({ id, event: { type: 'nobody.knows' } })
    const answer = await ask('redrive', { id })
    expect(answer.status).toBe(201)
    const outcome = await get(String(answer.headers.get('location')))
    expect(outcome).toMatchObject({
      redriven: 0,
      failures: 1,
      failed: [{ id, error: expect.stringContaining('unknown') }],
    })
    expect(((await get('/api/letters?limit=1000')).items as Letter[]).some((kept) => kept.id === id)).toBe(true)
  })

  test('a letter is discarded with a reason', async () => {
    const id = await letter()
    const answer = await ask('discard', { id, reason: 'nobody misses it' })
    expect(await get(String(answer.headers.get('location')))).toMatchObject({ discarded: 1, asked: { id } })
    expect((await read(`/api/letters/${id}`)).status).toBe(404)
  })

  test('a redrive without a filter is refused', async () => {
    await expectProblem(await ask('redrive', {}), 422)
    await expectProblem(await ask('discard', { id: 'x' }), 422)
  })

  test('only operators read letters', async () => {
    expect((await fetch(`${mill.query}/api/letters`)).status).toBe(401)
    const member = await authorized('member')
    expect((await fetch(`${mill.query}/api/letters`, { headers: member })).status).toBe(403)
    await expectProblem(await send(`${mill.publish}/api/letters/redrive`, { id: 'x' }, member), 403)
  })
})
