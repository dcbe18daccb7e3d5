import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'

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
} as const

mkdirSync('.millrace', { recursive: true })
const folder = mkdtempSync('.millrace/type-errors-')
afterAll(() => rmSync(folder, { recursive: true }))

/** The errors of all files, from one run of the compiler. */
function errorsByFile(): Map<string, string[]> {
  for (const [name, [right, wrong]] of Object.entries(MISTAKES)) {
    expect(SOUND).toContain(right)
    writeFileSync(join(folder, `${name}.ts`), SOUND.replace(right, wrong))
  }
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

test('one mistake in a domain is one error at its place, and not one at every function', () => {
  const found = errorsByFile()
  for (const [name, [, , count, message]] of Object.entries(MISTAKES)) {
    const errors = found.get(name) ?? []
    expect(errors.length, errors.join('\n')).toBeLessThanOrEqual(count)
    expect(errors[0] ?? '').toContain(message)
  }
})
