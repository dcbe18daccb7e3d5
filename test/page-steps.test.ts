import { expect, test } from 'vitest'
import { changed } from './page-steps.ts'

const file = `export default decideDomain({
  rules: {
    'a.one': {
      events: () => [],
    },
    'a.two': { events: () => [] },
  },
  queries: ({ one }) => [
    one({ path: '/a' }),
  ],
})
`

test('an entry is added at the end of its part', () => {
  const added = changed(file, "// in rules\n    'a.three': { events: () => [] },\n")
  expect(added).toBe(
    file.replace("    'a.two': { events: () => [] },\n", (two) => `${two}${two.replace('two', 'three')}`),
  )
  expect(changed(file, "// in queries\n    page({ path: '/b' }),\n")).toContain(
    "'/a' }),\n    page({ path: '/b' }),\n  ],\n",
  )
})

test('an entry of the same name is replaced, however many lines it has', () => {
  const short = changed(file, "// in rules\n    'a.one': { events: () => [] },\n")
  expect(short).toBe(file.replace("'a.one': {\n      events: () => [],\n    },", "'a.one': { events: () => [] },"))
  const long = changed(short, "// in rules\n    'a.one': {\n      events: () => [],\n    },\n")
  expect(long).toBe(file)
})

test('a line is replaced', () => {
  const change = '// instead of: queries: ({ one }) => [\n  queries: ({ one, page }) => [\n'
  expect(changed(file, change)).toBe(file.replace('{ one }', '{ one, page }'))
})

test('a change without exactly one place, or without a heading, is an error', () => {
  expect(() => changed(file, '// instead of: nothing\n')).toThrow('The change has 0 places in the file.')
  expect(() => changed(file + file, "// in rules\n    'a.one': {},\n")).toThrow('The change has 2 places in the file.')
  expect(() => changed(file, "    'a.one': {},\n")).toThrow('A change begins with "// in <part>"')
})
