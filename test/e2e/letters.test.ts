import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { discard, expectProblem, type Mill, send, startMill } from '../mill.ts'

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

  const wait = { prefer: 'wait=20' }
  const ask = (what: string, body: unknown) => send(`${mill.publish}/api/letters/${what}`, body, wait)
  const get = async (path: string) => (await fetch(mill.query + path)).json() as Promise<Record<string, unknown>>

  /** What persist can't take, as a KafkaSource delivers it. */
  async function letter(): Promise<string> {
    const id = `letter-${crypto.randomUUID()}`
    await send(
      mill.persist,
      { never: 'mind' },
      {
        'ce-specversion': '1.0',
        'ce-id': id,
        'ce-source': '/test',
        'ce-type': 'nobody.knows',
        'ce-time': new Date().toISOString(),
        'ce-knativekafkapartition': '0',
        'ce-knativekafkaoffset': '0',
      },
    )
    return id
  }

  test('a letter is shown with its event; redriven in vain it stays, and its redrive says why', async () => {
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
    expect((await fetch(`${mill.query}/api/letters/${id}`)).status).toBe(404)
  })

  test('a redrive of everything by mistake is refused', async () => {
    await expectProblem(await ask('redrive', {}), 422)
    await expectProblem(await ask('discard', { id: 'x' }), 422)
  })
})
