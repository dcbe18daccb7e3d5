import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LIST, licenseViolations, listOf, type Package, shippedPackages, textsOf } from '../../licenses.ts'

const packages = shippedPackages()

test('every package that the image distributes has a licence that we accept, with its text', () => {
  expect(packages.length).toBeGreaterThan(100)
  expect(licenseViolations(packages)).toEqual([])
})

test(`${LIST} is what npm run licenses writes`, () => {
  expect(readFileSync(LIST, 'utf8')).toBe(listOf(packages))
})

test('Node and the NOTICE files of Apache packages are among the texts', () => {
  const texts = textsOf(packages)
  expect(texts).toContain(`node ${process.versions.node}, MIT`)
  expect(texts).toContain('Node.js is licensed for use as follows')
  expect(texts).toContain(readFileSync('node_modules/swagger-ui-dist/NOTICE', 'utf8').trim())
})

const one = (license: string, texts = ['text']): Package[] => [
  { name: 'one', version: '1.0.0', license, author: 'Ada', texts },
]

test.each(['GPL-3.0', 'MIT AND GPL-3.0', '(GPL-2.0 OR LGPL-3.0)', 'none', 'SEE LICENSE IN LICENSE'])(
  'the licence %s is refused',
  (license) => {
    expect(licenseViolations(one(license))).toEqual([`one 1.0.0 has the licence ${license}, which is not on the list`])
  },
)

test.each(['MIT', '(MIT OR GPL-3.0)', 'MIT AND ISC'])('the licence %s is accepted', (license) => {
  expect(licenseViolations(one(license))).toEqual([])
})

test('a package without a text is refused, unless its licence asks for a name and a link only', () => {
  expect(licenseViolations(one('MIT', []))).toEqual(['one 1.0.0 brings no text of its licence'])
  expect(licenseViolations(one('CC-BY-3.0', []))).toEqual([])
  expect(textsOf(one('CC-BY-3.0', []))).toBe('one 1.0.0, CC-BY-3.0, by Ada\n\nhttps://spdx.org/licenses/CC-BY-3.0.html')
})
