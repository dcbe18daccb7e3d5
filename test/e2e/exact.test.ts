import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { discard, eventually, expectProblem, type Mill, send, startMill } from '../mill.ts'

/** A log event as JSON text, and the reason why it cannot be stored exactly, if there is one. */
interface Sample {
  text: string
  flaw?: string
}

type Send = (texts: string[]) => Promise<number[]>

const WAYS = ['single', 'array', 'NDJSON', 'structured', 'binary'] as const

describe.each(inject('servings'))('on the %s', (serving) => {
  let mill: Mill
  beforeAll(async () => {
    const env = { ANONYMOUS_SCOPES: 'logs:read logs:write logs:all tutorials:read' }
    mill = await startMill({ pair: inject('pair'), serving, env })
  }, 60_000)
  afterAll(async () => {
    await mill?.stop()
    if (mill) discard(mill)
  })

  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const answer = await send(mill.publish + path, body, headers)
    const text = await answer.text()
    return { status: answer.status, text }
  }
  const each = (send: (text: string) => Promise<{ status: number }>) => async (texts: string[]) => {
    const statuses: number[] = []
    for (const text of texts) statuses.push((await send(text)).status)
    return statuses
  }
  const attributes = () => ({ specversion: '1.0', id: crypto.randomUUID(), source: '/exact', type: 'logs.write' })
  const binary = () => Object.fromEntries(Object.entries(attributes()).map(([name, value]) => [`ce-${name}`, value]))

  /** The status of each command, in the order of the texts. */
  const ways: Record<(typeof WAYS)[number], Send> = {
    single: each((text) => post('/api/logs', text)),
    async array(texts) {
      const { text } = await post('/api/logs', `[${texts.join()}]`)
      return (JSON.parse(text) as { status: number }[]).map(({ status }) => status)
    },
    async NDJSON(texts) {
      const { text } = await post('/api/logs', texts.join('\n'), { 'content-type': 'application/x-ndjson' })
      const lines = text.trim().split('\n')
      return lines.map((line) => (JSON.parse(line) as { status: number }).status)
    },
    structured: each((text) =>
      post('/', `${JSON.stringify(attributes()).slice(0, -1)},"data":${text}}`, {
        'content-type': 'application/cloudevents+json',
      }),
    ),
    binary: each((text) => post('/', text, binary())),
  }

  /** The events of an organisation as JSON text, in order. */
  async function stored(organizationId: string, count: number): Promise<string[]> {
    return await eventually(
      async () => {
        const url = `${mill.query}/api/logs?organizationId=${organizationId}`
        const text = await (await fetch(url, { headers: { accept: 'application/x-ndjson' } })).text()
        const lines = text.split('\n').filter((line) => line !== '')
        expect(lines).toHaveLength(count)
        return lines
      },
      { within: 30_000 },
    )
  }

  test.each(WAYS)('an event by %s is read back equal or is refused', async (way) => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(sample, { minLength: 1, maxLength: 40 }), async (samples) => {
        const organizationId = `${way}-${run++}-${crypto.randomUUID().slice(0, 8)}`
        const texts = samples.map(({ text }) => text.replace('ORGANISATION', organizationId))
        const statuses = await ways[way](texts)
        expect(statuses).toEqual(samples.map(({ flaw }) => (flaw === undefined ? 202 : 400)))
        const taken = texts.filter((_, at) => statuses[at] === 202)
        const found = await stored(organizationId, taken.length)
        const told = found.map(exactly).map(({ id, time, cursor, ...event }) => event)
        expect(told).toEqual(taken.map(exactly))
      }),
      { numRuns: way === 'NDJSON' || way === 'array' ? 25 : 5, endOnFailure: true },
    )
  })

  test('an error names its field, also in base64 data', async () => {
    const text = event({ attributes: '{"n":9007199254740993}' }).replace('ORGANISATION', 'a')
    const single = await expectProblem(await send(`${mill.publish}/api/logs`, text), 400)
    expect(single.errors).toMatchObject([{ field: 'attributes.n' }])
    const encoded = { ...attributes(), data_base64: Buffer.from(text).toString('base64') }
    const headers = { 'content-type': 'application/cloudevents+json' }
    for (const datacontenttype of ['application/json', 'application/problem+json']) {
      const body = JSON.stringify({ ...encoded, datacontenttype })
      const problem = await expectProblem(await send(mill.publish, body, headers), 400)
      expect(problem.errors).toMatchObject([{ field: 'attributes.n' }])
    }
  })

  test('a number as the id of a CloudEvent is refused, since two ids may round to the same number', async () => {
    const headers = { 'content-type': 'application/cloudevents+json' }
    const text = event({}).replace('ORGANISATION', 'a')
    const body = `{"specversion":"1.0","id":9007199254740993,"source":"/s","type":"logs.write","data":${text}}`
    const problem = await expectProblem(await send(mill.publish, body, headers), 400)
    expect(problem.errors).toMatchObject([{ field: 'id' }])
  })

  test('a bound at the end of time finds the documents before it', async () => {
    const organizationId = `bounds-${crypto.randomUUID().slice(0, 8)}`
    await ways.NDJSON([event({}).replace('ORGANISATION', organizationId)])
    await stored(organizationId, 1)
    const count = async (path: string, params: string) => {
      const url = `${mill.query}${path}?organizationId=${organizationId}&${params}`
      return ((await (await fetch(url)).json()) as { items: unknown[] }).items.length
    }
    for (const path of ['/api/logs', '/api/logs/stats']) {
      expect(await count(path, 'to=9999-12-31T23:59:59-23:59')).toBe(1)
      expect(await count(path, 'to=9999-12-31T23:59:59.9999Z')).toBe(1)
      expect(await count(path, 'from=9999-12-31T23:59:59-23:59')).toBe(0)
      expect(await count(path, 'from=0000-01-01T00:00:00%2B23:59')).toBe(1)
      expect(await count(path, 'to=0000-01-01T00:00:00%2B23:59')).toBe(0)
    }
  })
})

const member = ([name, value]: [string, string]) => `${JSON.stringify(name)}:${value}`

/** The JSON text of an event from the JSON texts of its members. */
function event(more: { [member: string]: string }): string {
  const members = { organizationId: '"ORGANISATION"', level: '"info"', message: '"m"', service: '"s"', ...more }
  return `{${Object.entries(members).map(member).join()}}`
}

type Reviver = (this: unknown, name: string, value: unknown, context: { source?: string }) => unknown

/** The value of a JSON text, with all digits of integers, and timestamps as moments. */
function exactly(text: string): Record<string, unknown> {
  const reviver: Reviver = (name, value, { source }) => {
    if (name === 'timestamp') return momentOf(String(value))
    if (typeof value !== 'number') return value
    const integer = /^(-?\d+)(\.0+)?$/.exec(source ?? '')?.[1]
    return { number: integer === undefined ? String(value) : String(BigInt(integer)) }
  }
  const parsed = JSON.parse(text, reviver as (this: unknown, name: string, value: unknown) => unknown)
  if (!text.includes('"timestamp"')) parsed.timestamp = expect.anything()
  return { attributes: {}, ...parsed }
}

/** The seconds since the epoch, with every digit of the fraction. */
function momentOf(timestamp: string): string {
  const [, fraction = ''] = /\.(\d+)/.exec(timestamp) ?? []
  return `${Date.parse(timestamp.replace(/\.\d+/, '')) / 1000}.${fraction.replace(/0+$/, '')}`
}

const visible = (maxLength: number) => fc.string({ minLength: 1, maxLength, unit: 'binary' })
const text = (maxLength: number) =>
  visible(maxLength)
    .filter((value) => value.isWellFormed())
    .map((value) => JSON.stringify(value))

const integers = fc.oneof(
  fc.bigInt(-(2n ** 66n), 2n ** 66n),
  fc.bigInt(2n ** 53n - 2n, 2n ** 53n + 2n),
  fc.maxSafeInteger(),
)
/** Numbers as JSON.stringify writes them: whole doubles become integers, with inexact digits beyond 2^53. */
const doubles = fc.double({ noNaN: true, noDefaultInfinity: true }).map((double) => JSON.stringify(double))
const decimals = fc.tuple(fc.nat(99), fc.bigInt(0n, 10n ** 40n)).map(([whole, digits]) => `${whole}.${digits}`)

type Value = [text: string, flaw?: string]
const isExact = (integer: bigint | number) => JSON.stringify(Number(integer)) === String(integer)
const value: fc.Arbitrary<Value> = fc.oneof(
  integers.map((integer): Value => [String(integer), ...(isExact(integer) ? [] : ['rounded'])] as Value),
  doubles.map((text): Value => [text]),
  decimals.map((text): Value => [text]),
  text(50).map((text): Value => [text]),
  fc.constantFrom<Value>(
    ['true'],
    ['false'],
    ['null'],
    ['-0'],
    ['1e400', 'overflow'],
    ['-1E+999', 'overflow'],
    ['1e-999', 'underflow'],
  ),
)

const names = fc.oneof(
  { weight: 20, arbitrary: fc.stringMatching(/^[\w.-]{1,64}$/).filter((name) => name !== '__proto__') },
  { weight: 5, arbitrary: fc.constantFrom('constructor', 'toString', 'hasOwnProperty', '_id', '.', 'a.b', '1', '-') },
  { weight: 1, arbitrary: fc.constant('__proto__') },
)

const attributes = fc.array(fc.tuple(names, value), { maxLength: 8 }).map((pairs) => {
  const hasDuplicate = new Set(pairs.map(([name]) => name)).size < pairs.length
  const hasForbidden = pairs.some(([name]) => name === '__proto__')
  const flaw = hasDuplicate ? 'duplicate' : hasForbidden ? 'forbidden' : pairs.find(([, [, flaw]]) => flaw)?.[1][1]
  return { text: `{${pairs.map(([name, [text]]) => member([name, text])).join()}}`, flaw }
})

const timestamp = fc
  .tuple(
    fc.integer({ min: 0, max: 9999 }),
    fc.constantFrom('01-01T00:00:00', '12-31T23:59:59', '06-15T12:30:00'),
    fc.constantFrom('', '.5', '.000', '.123456789', '.999999'),
    fc.constantFrom('Z', '+23:59', '-23:59', '+02:00'),
  )
  .map(([year, rest, fraction, offset]) => `"${String(year).padStart(4, '0')}-${rest}${fraction}${offset}"`)

const sample: fc.Arbitrary<Sample> = fc
  .record({ message: text(200), service: text(20), timestamp, attributes }, { requiredKeys: ['message', 'service'] })
  .map(({ attributes, timestamp, ...texts }) => ({
    text: event({
      ...texts,
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(attributes === undefined ? {} : { attributes: attributes.text }),
    }),
    ...(attributes?.flaw === undefined ? {} : { flaw: attributes.flaw }),
  }))
