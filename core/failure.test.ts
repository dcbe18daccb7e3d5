import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { authorFiles } from '#test/author.ts'
import { type Failure, failureOf } from './failure.ts'

type Code = { [name: string]: (...given: unknown[]) => unknown }
type Work = (code: Code) => unknown

const calls = 'export const call = (work: any) => work()'
const { folder, load } = authorFiles({
  'shop/domains/orders/decide.ts': `import { z } from 'zod'
const pay = (order: any): number => order.sum.amount
export const decide = (order: unknown) => [order].map((one) => pay(one))
export const checked = () => z.string().refine(() => pay({}) > 0).parse('x')
export const unwanted = () => z.string().parse(1)
export async function later() {
  await null
  return pay({})
}
export class Order {
  constructor() {
    pay({})
  }
}
export const made = () => new Order()
export const raise = (value: unknown) => { throw value }
export const deep = (depth: number): number => (depth === 0 ? pay({}) : deep(depth - 1))
export const endless = (): number => endless() + 1
export function caused() {
  try {
    decide({})
  } catch (cause) {
    throw new Error('the order is unpaid', { cause })
  }
}
export function circular() {
  const error = new Error('it is its own cause')
  error.cause = error
  throw error
}
export const given = (message: string) => { throw new Error(message) }
export const call = (order: any) => order.id
`,
  'millrace/functions/persist/stream.ts': calls,
  'millrace/dist/persist.js': 'export const call = (work) => work()',
  'millrace/domains/sums/decide.ts': calls,
  'millrace/domains/decide-domain.ts': calls,
})
const orders = load<Code>('shop/domains/orders/decide.ts')
const own = load<Code>('millrace/functions/persist/stream.ts')
const bundled = load<Code>('millrace/dist/persist.js')
const beside = load<Code>('millrace/domains/sums/decide.ts')
const contract = load<Code>('millrace/domains/decide-domain.ts')
const working = join(folder, 'shop')
const within = { millrace: resolve('.'), working }

async function failure(work: Work, folders = within): Promise<Failure> {
  try {
    await work(orders)
  } catch (error) {
    return failureOf(error, folders)
  }
  throw new Error('it does not fail')
}

const framesOf = async (work: Work) => (await failure(work)).frames
const at = (place: string) => `domains/orders/decide.ts:${place}`
const AMOUNT = "Cannot read properties of undefined (reading 'amount')"

test('the frames of an author have the file, the line, the column and the function, the innermost first', async () => {
  expect(await failure(({ decide }) => decide?.({}))).toEqual({
    message: AMOUNT,
    frames: [at('2:47 pay'), at('3:64'), at('3:51 decide')],
  })
  expect(await framesOf(({ made }) => made?.())).toEqual([at('2:47 pay'), at('12:5 new Order'), at('15:27 made')])
})

test('the frames of packages and of Millrace are left out, but not those of its domains', async () => {
  expect(await framesOf(({ checked }) => checked?.())).toEqual([at('2:47 pay'), at('4:54 fn'), at('4:67 checked')])
  expect(await framesOf(({ unwanted }) => unwanted?.())).toEqual([at('5:42 unwanted')])
  const within = (code: Code) => own.call?.(() => bundled.call?.(() => contract.call?.(() => code.call?.(null))))
  const through = (code: Code) => beside.call?.(() => within(code))
  const { frames = [] } = await failure(through, { millrace: join(folder, 'millrace'), working })
  expect(frames.filter((frame) => !frame.includes('core/failure.test.ts'))).toEqual([
    at('32:43 call'),
    '../millrace/domains/sums/decide.ts:1:36 call',
  ])
})

test("the files of a project that has Millrace as a package are its author's, whatever their folders are", async () => {
  const shop = { millrace: join(folder, 'shop/node_modules/millrace'), working: join(folder, 'millrace') }
  const through = (code: Code) => contract.call?.(() => own.call?.(() => code.call?.(null)))
  const { frames = [] } = await failure(through, shop)
  expect(frames.filter((frame) => !frame.includes('core/failure.test.ts'))).toEqual([
    '../shop/domains/orders/decide.ts:32:43 call',
    'functions/persist/stream.ts:1:36 call',
    'domains/decide-domain.ts:1:36 call',
  ])
})

test('the frames of asynchronous code are found', async () => {
  expect(await framesOf(({ later }) => later?.())).toEqual([at('2:47 pay'), at('8:10 later')])
})

test('the frames of the causes follow, and a circle of causes ends', async () => {
  expect(await failure(({ caused }) => caused?.())).toEqual({
    message: 'the order is unpaid',
    frames: [at('23:11 caused'), at('2:47 pay'), at('3:64'), at('3:51 decide'), at('21:5 caused')],
  })
  expect(await framesOf(({ circular }) => circular?.())).toEqual([at('27:17 circular')])
})

test.each([
  ['out of stock', 'out of stock'],
  [undefined, 'undefined'],
  [null, 'null'],
  [Symbol('sold'), 'Symbol(sold)'],
  [{ code: 7 }, '{ code: 7 }'],
  [Object.create(null), '[Object: null prototype] {}'],
  [Object.assign(new Error('lost'), { stack: undefined }), 'lost'],
  [Object.assign(new Error('lost'), { message: { code: 7 }, stack: 'lost' }), '{ code: 7 }'],
  [Object.assign(new RangeError(''), { stack: 'RangeError' }), 'RangeError'],
])('%s without a stack of its own has a message and no frames', async (thrown, message) => {
  expect(await failure(({ raise }) => raise?.(thrown))).toEqual({ message })
})

test('a recursion shows each frame once, and a stack at most ten of them', async () => {
  const { message, frames = [] } = await failure(({ endless }) => endless?.())
  expect(message).toBe('Maximum call stack size exceeded')
  expect(new Set(frames)).toEqual(new Set([at('18:38 endless'), at('18:48 endless')]))
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = Number.POSITIVE_INFINITY
  try {
    expect(await framesOf(({ deep }) => deep?.(5000))).toEqual([at('2:47 pay'), at('17:63 deep'), at('17:73 deep')])
    const many = Array.from({ length: 30 }, (_, line) => `    at f (/shop/a.ts:${line}:1)`).join('\n')
    expect((await framesOf(({ raise }) => raise?.(Object.assign(new Error(), { stack: many }))))?.length).toBe(10)
  } finally {
    Error.stackTraceLimit = before
  }
})

test('a message that looks like a stack adds no frames', async () => {
  const message = 'no order\n    at pay (/etc/passwd:1:1)\n    at file:///%2f:1:1'
  expect(await failure(({ given }) => given?.(message))).toEqual({ message, frames: [at('31:51 given')] })
  const long = `    at ${'('.repeat(1_000_000)}`
  const changed = Object.assign(new Error('short'), { stack: `Error: ${long}\n    at pay (file:///%2f:1:1)` })
  expect(await framesOf(({ raise }) => raise?.(changed))).toHaveLength(1)
})

test('the frames in a bundle with a source map are those of its sources', async () => {
  const { folder } = authorFiles({
    'core/failure.ts': readFileSync('core/failure.ts', 'utf8'),
    'core/own-folder.ts': readFileSync('core/own-folder.ts', 'utf8'),
    'domains/orders/decide.ts': `import { z } from 'zod'
export const decide = (order: any) => z.string().refine(() => order.sum.amount).parse('x')
`,
    'main/run.ts': `import { failureOf } from '../core/failure.ts'
import { decide } from '../domains/orders/decide.ts'
try {
  decide({})
} catch (error) {
  console.log(JSON.stringify(failureOf(error)))
}`,
    'dist/serve.mjs': `import { setSourceMapsSupport } from 'node:module'
setSourceMapsSupport(true)
await import('./run.mjs')`,
  })
  const output = { outfile: 'dist/run.mjs', sourcemap: true, minifyWhitespace: true, lineLimit: 160 } as const
  await build({
    ...output,
    absWorkingDir: folder,
    entryPoints: ['main/run.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
  })
  const printed = execFileSync(process.execPath, ['dist/serve.mjs'], { cwd: folder, encoding: 'utf8' })
  expect(JSON.parse(printed)).toEqual({
    message: AMOUNT,
    frames: ['domains/orders/decide.ts:2:73 fn', 'domains/orders/decide.ts:2:81 decide'],
  })
})
