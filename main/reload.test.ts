import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyWith } from '#test/copy.ts'
import { discard, eventually, type Mill, send, startMill } from '#test/mill.ts'

/** make dev on a copy of the product whose domains a test edits. Its one domain, orders, is two files. */

const domain = (name: string) => `import { z } from 'zod'
import { decideDomain } from '../decide-domain.ts'
import { MOST, priceOf } from './rules.ts'

const sku = z.string()
const price = z.number()
export default decideDomain({
  name: '${name}',
  ordering: 'unordered',
  topic: { name: '${name}', partitions: 3 },
  commands: {
    '${name}.place': {
      data: z.strictObject({ order: z.string(), sku }),
      stream: ({ order }) => \`order/\${order}\`,
      routes: [{ method: 'POST', path: '/api/${name}', body: 'json' }],
    },
  },
  events: { '${name}.placed': z.object({ sku, price }) },
  collections: { ${name}: { schema: z.object({ sku, price }), indexes: { sku: { fields: ['sku'] } } } },
  touches: ({ data }) => [{ collection: '${name}', ids: [data.order] }],
  decide({ data }) {
    const price = priceOf(data.sku)
    return price > MOST ? { rejected: 'too dear' } : { events: [{ type: '${name}.placed', data: { sku: data.sku, price } }] }
  },
  projections: {
    '${name}.placed': ({ data, stream }) => [{ collection: '${name}', document: { _id: stream.replace('order/', ''), ...data } }],
  },
  queries: ({ all, live }) => [
    all({ path: '/api/${name}', name: 'list', index: 'sku', item: z.object({ id: z.string(), price }), shape: ({ _id, price }) => ({ id: _id, price }) }),
    live({ path: '/api/${name}/live', name: 'live', of: { collection: '${name}' }, keep: () => true, shape: ({ _id, price }) => ({ id: _id, price }) }),
  ],
})
`
const rules = (price: string) => `export const MOST = 1000

export function priceOf(sku: string): number {
  ${price}
}
`

let root: string
let mill: Mill

const write = (path: string, text: string) => {
  const file = join(root, 'domains', path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
}
const writeRules = (price: string, name = 'orders') => write(`${name}/rules.ts`, rules(price))

const place = (order: string, name = 'orders') =>
  send(`${mill.publish}/api/${name}`, { order, sku: 'tea' }, { prefer: 'wait=15' })

async function priceIn(order: string, name = 'orders'): Promise<number | undefined> {
  const items = (await (await fetch(`${mill.query}/api/${name}`)).json()) as { id: string; price: number }[]
  return items.find(({ id }) => id === order)?.price
}

const orderNo = () => crypto.randomUUID()

/** Places orders until one has this price, which tells that the saved rule runs. Resolves with the milliseconds. */
async function untilPriced(price: number): Promise<number> {
  const began = performance.now()
  await eventually(async () => {
    const order = orderNo()
    const placed = await place(order)
    expect(placed.status, await placed.text()).toBe(200)
    expect(await priceIn(order)).toBe(price)
  })
  return performance.now() - began
}

const logged = (text: string) => eventually(async () => expect(mill.output()).toContain(text))

beforeAll(async () => {
  root = copyWith([
    { path: 'domains/orders/domain.ts', text: domain('orders') },
    { path: 'domains/orders/rules.ts', text: rules('return sku.length') },
  ])
  for (const other of ['forum', 'logs']) rmSync(join(root, 'domains', other), { recursive: true })
  mill = await startMill({ pair: 'embedded', root, env: { LOG_LEVEL: 'info' } })
}, 60_000)

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
  rmSync(root, { recursive: true, force: true })
})

test('a saved rule decides the next command, within about a second', async () => {
  await untilPriced(3)
  writeRules('return sku.length + 10')
  expect(await untilPriced(13)).toBeLessThan(3000)
  expect(mill.output()).toMatch(/"domains":\["orders"\],"ms":\d+,"msg":"domains reloaded"/)
})

test('commands flow on while rules change: each takes effect once, by the rule before or after', async () => {
  const orders: string[] = []
  let isOver = false
  const flow = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      const order = orderNo()
      const { status } = await place(order)
      expect(status).toBe(200)
      orders.push(order)
    }
  })
  for (const price of [20, 21, 22]) {
    writeRules(`return ${price}`)
    await untilPriced(price)
  }
  isOver = true
  await Promise.all(flow)
  const items = (await (await fetch(`${mill.query}/api/orders`)).json()) as { id: string; price: number }[]
  const prices = new Map(items.map(({ id, price }) => [id, price]))
  expect(orders.length).toBeGreaterThan(20)
  expect(new Set(orders.map((order) => prices.get(order)))).toEqual(new Set([13, 20, 21, 22]))
})

test.each([
  ['a syntax error', 'retur n sku.length', /domains\/orders\/rules\.ts:4:9 Expected ';'/],
  [
    'an exception at import',
    `return 1 }\nconst all: string[] = []\nall.first.second\n{`,
    /domains\/orders\/rules\.ts:6:11 Cannot read/,
  ],
  [
    'an import that is not there',
    `return 1 }\nimport { x } from './missing.ts'\n{ x()`,
    /Cannot find module 'domains\/orders\/missing\.ts'/,
  ],
])('%s is told with its place, and the previous rule goes on until it is mended', async (_, broken, told) => {
  await untilPriced(22)
  const before = mill.output().length
  writeRules(broken)
  await eventually(async () => expect(mill.output().slice(before)).toMatch(told))
  expect(
    mill
      .output()
      .slice(before)
      .match(/domains not reloaded/g),
  ).toHaveLength(1)
  await untilPriced(22)
  writeRules('return 22 ')
  await eventually(async () => expect(mill.output().slice(before)).toContain('"domains reloaded"'))
})

test('a mistake that a start can see is told, and the previous domain goes on', async () => {
  write('orders/domain.ts', domain('orders').replace("index: 'sku'", "index: 'skj'"))
  await logged('index \\"skj\\" is not declared in collection \\"orders\\". Did you mean \\"sku\\"?')
  await untilPriced(22)
  write('orders/domain.ts', domain('orders'))
})

test('the frames of a bug name the saved line, without a version, and the command is applied once it is mended', async () => {
  writeRules("\n\n  if (sku === 'bug') throw new Error('no price')\n  return 40")
  await untilPriced(40)
  const order = orderNo()
  const answer = send(`${mill.publish}/api/orders`, { order, sku: 'bug' }, { prefer: 'wait=15' })
  await logged('domains/orders/rules.ts:6:28 priceOf')
  expect(mill.output()).not.toContain('?version=')
  writeRules('return 40')
  expect((await answer).status).toBe(200)
  expect(await priceIn(order)).toBe(40)
})

test('a new folder is a new domain, and one that vanishes stops; when it comes back, so do its documents', async () => {
  write('gifts/rules.ts', rules('return 5'))
  write('gifts/domain.ts', domain('gifts'))
  await eventually(async () => expect((await place('first', 'gifts')).status).toBe(200))
  expect(await priceIn('first', 'gifts')).toBe(5)
  expect(await fetch(`${mill.query}/openapi.json`).then((answer) => answer.text())).toContain('/api/gifts')

  rmSync(join(root, 'domains/gifts'), { recursive: true })
  await logged('"removed":["gifts"]')
  expect((await place('second', 'gifts')).status).toBe(404)
  await untilPriced(40)

  write('gifts/rules.ts', rules('return 6'))
  write('gifts/domain.ts', domain('gifts'))
  await eventually(async () => expect((await place('second', 'gifts')).status).toBe(200))
  expect([await priceIn('first', 'gifts'), await priceIn('second', 'gifts')]).toEqual([5, 6])
})

test('a live stream of a changed domain ends, to be resumed, and that of another goes on', async () => {
  const open = async (name: string) => {
    const stop = new AbortController()
    const { body } = await fetch(`${mill.query}/api/${name}/live`, { signal: stop.signal })
    let text = ''
    const ended = (async () => {
      for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk
      return true
    })().catch(() => false)
    await eventually(async () => expect(text).toContain('begun'))
    return { stop, ended, text: () => text }
  }
  const [orders, gifts] = await Promise.all([open('orders'), open('gifts')])
  writeRules('return 41')
  expect(await orders.ended).toBe(true)
  await untilPriced(41)
  const gift = orderNo()
  await place(gift, 'gifts')
  await eventually(async () => expect(gifts.text()).toContain(gift))
  gifts.stop.abort()
})

test('documents and events of another form are told to stay as they are, and a field is not lost', async () => {
  const more = domain('orders').replaceAll(
    'z.object({ sku, price })',
    'z.object({ sku, price, note: z.string().optional() })',
  )
  write('orders/domain.ts', more)
  await logged('the documents of orders have another form. Those that are stored keep the old one.')
  await logged('the events orders.placed have another form. Those that are stored keep the old one.')
  await untilPriced(41)
})

test('an index with other fields than the stored one is told, and one that has them again is not', async () => {
  const warning = 'the index sku of gifts has other fields'
  const reloadedWith = async (text: string) => {
    const before = mill.output().length
    write('gifts/domain.ts', text)
    await eventually(async () => expect(mill.output().slice(before)).toContain('domains reloaded'))
    return mill.output().slice(before)
  }
  const declared = "indexes: { sku: { fields: ['sku'] } }"
  const other = domain('gifts').replace(declared, "indexes: { sku: { fields: ['price'] } }")
  expect(await reloadedWith(other)).toContain(warning)
  expect(await reloadedWith(`${other}// again`)).toContain(warning)
  expect(await reloadedWith(domain('gifts'))).not.toContain(warning)
})

test('a topic that differs is told, and the previous domain goes on', async () => {
  write('gifts/domain.ts', domain('gifts').replace('partitions: 3', 'partitions: 4'))
  await logged('topic gifts has 3 partitions, not 4')
  expect((await place(orderNo(), 'gifts')).status).toBe(200)
  write('gifts/domain.ts', domain('gifts'))
})

test('a file that no domain imports changes nothing', async () => {
  const before = mill.output().length
  write('orders/orders.test.ts', 'this is no code')
  write('orders/.rules.ts.swp', 'nor is this')
  writeRules('return 42')
  await untilPriced(42)
  expect(
    mill
      .output()
      .slice(before)
      .match(/domains (not )?reloaded/g),
  ).toEqual(['domains reloaded'])
})
