import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generatedPages } from '../../deploy/docs/pages.ts'

const pages = await generatedPages()

test('docs/api.md and docs/configuration.md have generated tables', () => {
  expect(pages.map(({ path }) => path)).toEqual(['docs/api.md', 'docs/configuration.md'])
})

test.each(pages)('the table in $path is up to date (npm run docs writes it)', ({ path, text }) => {
  expect(readFileSync(path, 'utf8')).toBe(text)
})
