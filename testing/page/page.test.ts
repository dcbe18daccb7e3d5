import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const blocks = [...readFileSync('docs/testing.md', 'utf8').matchAll(/^```ts\n\/\/ \S+\/([\w.]+)\n([\s\S]*?)^```/gm)]

test.each(blocks.map(([, file = '', code = '']) => ({ file, code })))(
  'the code of docs/testing.md is that of $file, which runs',
  ({ file, code }) => {
    const run = readFileSync(`testing/page/${file}`, 'utf8')
    expect(code).toBe(run.replace('../../examples/2-bookings/domain.ts', './domain.ts'))
  },
)

test('docs/testing.md has code', () => {
  expect(blocks).toHaveLength(2)
})
