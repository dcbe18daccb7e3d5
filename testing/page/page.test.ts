import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** The blocks of code of a page. The path is that of the first line, if it is a comment with a path. */
const blocksOf = (page: string) =>
  [...readFileSync(page, 'utf8').matchAll(/^```ts\n(?:\/\/ (\S+\.ts)\n)?([\s\S]*?)^```/gm)].map(
    ([, path, code = '']) => ({ path, file: path?.split('/').at(-1) ?? '', code }),
  )

const testing = blocksOf('docs/testing.md')

test.each(testing)('the code of docs/testing.md is that of $file, which runs', ({ file, code }) => {
  const run = readFileSync(`testing/page/${file}`, 'utf8')
  expect(code).toBe(run.replace('../../examples/2-bookings/domain.ts', './domain.ts'))
})

test('docs/testing.md has code', () => {
  expect(testing).toHaveLength(2)
})

test('the test in docs/tutorial.md is the one that runs here', () => {
  const found = blocksOf('docs/tutorial.md').filter(({ file }) => file === 'rules.test.ts')
  expect(found.map(({ code }) => code)).toEqual([readFileSync('testing/page/orders/rules.test.ts', 'utf8')])
})

test('the line of the bug in docs/tutorial.md is one of the complete file', () => {
  const [, line, column] = /domain\.ts:(\d+):(\d+) orders\.paid/.exec(readFileSync('docs/tutorial.md', 'utf8')) ?? []
  // A reader copies the comment with the path too.
  const copied = ['', ...readFileSync('testing/page/orders/domain.ts', 'utf8').split('\n')]
  expect(copied[Number(line) - 1]).toBe("      const order = documents.get('orders', stream)")
  expect(copied[Number(line) - 1]?.slice(Number(column) - 1)).toMatch(/^get\(/)
})

/** The pages that show parts of a domain, with the number of these parts. Code of other systems names its version first. */
const excerpts = [
  ['docs/domains.md', 'testing/page/shop/domain.ts,examples/3-orders/queries.ts', 8],
  ['docs/queries.md', 'testing/page/shop/domain.ts', 11],
  ['docs/from-emmett.md', 'testing/page/orders/domain.ts', 1],
  ['docs/from-restate.md', 'testing/page/orders/domain.ts', 1],
  ['docs/views.md', 'testing/page/shop/domain.ts,examples/3-orders/views.ts', 3],
  ['docs/from-kafka-connect.md', 'testing/page/connected/domain.ts', 1],
] as const
const ELSEWHERE = /^\/\/ @[\w-]+\/[\w-]+ \d/

test.each(excerpts)('the code of %s is part of %s, which runs', (page, file, count) => {
  const own = blocksOf(page).filter(({ code }) => !ELSEWHERE.test(code))
  expect(own).toHaveLength(count)
  const running = file.split(',').map((path) => readFileSync(path, 'utf8'))
  for (const { code } of own) expect(running.join('')).toContain(code)
})
