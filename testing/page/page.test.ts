import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** The code of a page that has a path in its first line. */
const blocksOf = (page: string) =>
  [...readFileSync(page, 'utf8').matchAll(/^```ts\n\/\/ \S+\/([\w.]+)\n([\s\S]*?)^```/gm)].map(
    ([, file = '', code = '']) => ({ file, code }),
  )

const testing = blocksOf('docs/testing.md')

test.each(testing)('the code of docs/testing.md is that of $file, which runs', ({ file, code }) => {
  const run = readFileSync(`testing/page/${file}`, 'utf8')
  expect(code).toBe(run.replace('../../examples/2-bookings/domain.ts', './domain.ts'))
})

test('docs/testing.md has code', () => {
  expect(testing).toHaveLength(2)
})

const page = readFileSync('docs/rules.md', 'utf8')
const [first, ...orders] = blocksOf('docs/rules.md')
const complete = readFileSync('testing/page/orders/domain.ts', 'utf8')
const linesOf = (code: string) => code.split('\n').map((line) => line.trim())

test('the test and the complete file of docs/rules.md are those that run', () => {
  expect(orders.map(({ file }) => file)).toEqual(['rules.test.ts', 'domain.ts'])
  for (const { file, code } of orders) expect(code).toBe(readFileSync(`testing/page/orders/${file}`, 'utf8'))
})

test('the steps of docs/rules.md add up to the complete file', () => {
  const [steps = ''] = page.split('## Test it')
  const additions = [...steps.matchAll(/^```ts\n(?!\/\/)([\s\S]*?)^```/gm)].map(([, code = '']) => code)
  expect(additions).toHaveLength(13)
  for (const line of additions.flatMap(linesOf)) expect(linesOf(complete)).toContain(line)
  for (const line of linesOf(complete)) expect([first?.code ?? '', ...additions].flatMap(linesOf)).toContain(line)
})

test('the line of the bug in docs/rules.md is that of the complete file', () => {
  const [, line] = /domain\.ts:(\d+):\d+ orders\.paid/.exec(page) ?? []
  const copied = ['// domains/orders/domain.ts', ...linesOf(complete)]
  expect(copied[Number(line) - 1]).toMatch(/^'orders\.paid': \({/)
})
