import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** The domain of the tutorial, with one mistake each. */
const SOUND = readFileSync('testing/page/orders/domain.ts', 'utf8')
const MISTAKES = {
  sound: ['', '', 0, ''],
  misspelt: ["ordering: 'ordered'", "ordring: 'ordered'", 1, "Property 'ordering' is missing"],
  wrong: [
    "ordering: 'ordered'",
    "ordering: 'inorder'",
    1,
    '\'"inorder"\' is not assignable to type \'"ordered" | "unordered"\'',
  ],
  projection: ["'orders.paid': ({ stream }", "'orders.payd': ({ stream }", 3, "''orders.payd'' does not exist"],
  zero: ['zero: { orders: 0, cents: 0 }', 'zero: { orders: 0 }', 1, "Property 'cents' is missing"],
  key: ['key: ({ actor }) => actor,', '', 1, "Property 'slots' is missing"],
  time: ["'orders.paid': z.object({", "'orders.paid': z.object({ at: z.date(),", 2, 'The data must be JSON'],
  index: ["fields: ['customer'", "fields: ['custmer'", 1, '"custmer"'],
  fold: ['cents: cents + data.cents', 'cens: cents + data.cents', 1, "Property 'cents' is missing"],
  event: ["[{ type: 'orders.paid'", "[{ type: 'orders.payd'", 2, '\'"orders.payd"\' is not assignable'],
  data: ['data: { cents } }]', 'data: { cent: cents } }]', 1, "'cent' does not exist in type '{ cents: number; }'"],
  query: ["index: 'customer'", "index: 'custmer'", 1, '"custmer"'],
} as const

/** A test and a client, which import the domain and have no mistake. */
const useOf = (name: string) => `import { createClient } from 'millrace/client'
import { given } from 'millrace/testing'
import orders from './${name}.ts'
const data = { product: 'kettle', cents: 4900 } as const
const placed = { type: 'orders.placed', stream: 'first', data, actor: 'ada' } as const
const pay = { type: 'orders.pay', data: { id: 'first', cents: 4900 }, actor: 'ada' } as const
await given(orders, placed, pay).when(pay).thenExpect({
  events: [{ type: 'orders.paid', data: { cents: 4900 } }],
  documents: { orders: { first: { customer: 'ada', state: 'paid' } } },
})
await given(orders, placed).when(pay).thenQuery('one', { id: 'first' }, { customer: 'ada' })
await given(orders, placed).thenQuery('mine', {}, { items: [{ customer: 'ada' }] })
const client = createClient<{ orders: typeof orders }>({ url: '' })
export const { items } = await client.orders.mine({ limit: 5 })
export const customers = items.map(({ customer }) => customer)
export const { cents } = await client.orders.spent({ id: 'ada' })
for await (const { type } of client.orders.live.each()) console.log(type)
await client.orders.pay({ id: 'first', cents: 1 })
`

/** A callback gets no type from what is unknown. */
const UNTYPED = /error TS7031: Binding element 'customer' implicitly has an 'any' type/

/** Wrong checks, and what the compiler says of each. */
const CHECKS = [
  ["thenQuery('one', {}, { customer: 'ada' })", "Property 'id' is missing"],
  ["thenQuery('one', { id: 5 }, { customer: 'ada' })", "Type 'number' is not assignable to type 'string'"],
  ["thenQuery('one', { id: 'a', colour: 'red' }, {})", "'colour' does not exist"],
  ["thenQuery('one', { id: 'a' })", 'Expected 3-4 arguments, but got 2'],
  ["thenQuery('ones', { id: 'a' }, {})", '\'"ones"\' is not assignable to parameter of type \'"live" | "mine" | "one"'],
  ["thenQuery('mine', {}, { items: [{ customr: 'ada' }] })", "Did you mean to write 'customer'?"],
  [
    "thenQuery('mine', {}, { items: [{ state: 'payd' }] })",
    '\'"payd"\' is not assignable to type \'"paid" | "placed"\'',
  ],
  ["thenQuery('mine', {}, { itms: [] })", "'itms' does not exist"],
  [
    "when({ type: 'orders.pay', data: { id: 'a', cents: 1 } }).thenExpect({ events: [{ type: 'orders.paid', data: {} }] })",
    "Property 'cents' is missing in type '{}' but required in type '{ cents: number; }'",
  ],
  ["thenQuery('/api/orders', {}, { caller: { name: 5 } })", "Type 'number' is not assignable to type 'string'"],
] as const

mkdirSync('.millrace', { recursive: true })
const folder = mkdtempSync('.millrace/type-errors-')
afterAll(() => rmSync(folder, { recursive: true }))

/** The errors of all files, from one run of the compiler. */
function errorsByFile(): Map<string, string[]> {
  for (const [name, [right, wrong]] of Object.entries(MISTAKES)) {
    expect(SOUND).toContain(right)
    writeFileSync(join(folder, `${name}.ts`), SOUND.replace(right, wrong))
    writeFileSync(join(folder, `${name}-use.ts`), useOf(name))
  }
  const lines = CHECKS.map(([check]) => `await given(orders).${check}\n`).join('')
  const imports = "import { given } from 'millrace/testing'\nimport orders from './sound.ts'\n"
  writeFileSync(join(folder, 'checks.ts'), imports + lines)
  const config = { extends: resolve('tsconfig.json'), compilerOptions: { noEmit: true }, include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  let output = ''
  try {
    execFileSync('node_modules/.bin/tsc', ['-p', folder, '--pretty', 'false'], { encoding: 'utf8' })
  } catch (error) {
    output = (error as { stdout: string }).stdout
  }
  const errors = output.split(/\n(?=\S)/).map((text) => ({ file: /([\w-]+)\.ts\(/.exec(text)?.[1] ?? '', text }))
  return new Map([...Map.groupBy(errors, ({ file }) => file)].map(([file, own]) => [file, own.map(({ text }) => text)]))
}

let found: Map<string, string[]>
beforeAll(() => {
  found = errorsByFile()
}, 120_000)

test('one mistake in a domain is one error at its place, and not one at every function or in files that import it', () => {
  for (const [name, [, , count, message]] of Object.entries(MISTAKES)) {
    const errors = found.get(name) ?? []
    expect(errors.length, errors.join('\n')).toBeLessThanOrEqual(count)
    expect(errors[0] ?? '').toContain(message)
    const elsewhere = found.get(`${name}-use`) ?? []
    expect(elsewhere.filter((text) => !UNTYPED.test(text))).toEqual([])
    expect(elsewhere.length).toBeLessThanOrEqual(count === 0 ? 0 : 1)
  }
})

test('a wrong check is one error about what is wrong with it', () => {
  const errors = found.get('checks') ?? []
  expect(errors).toHaveLength(CHECKS.length)
  for (const [at, [, message]] of CHECKS.entries()) {
    expect(errors[at]).toContain(message)
    expect(errors[at]).not.toContain('overload')
  }
})
