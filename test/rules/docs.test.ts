import { expect, test } from 'vitest'
import { findDomains } from '#main/find-domains.ts'
import { currentText, generatedFiles } from '../../generate/files.ts'

const domains = await findDomains()
const files = generatedFiles(domains)

test('the tables of routes and settings and a KafkaSource for each domain are generated', () => {
  const sources = domains.map(({ name }) => `knative/sources/${name}.yaml`)
  const others = ['docs/api.md', 'docs/configuration.md', 'knative/sources/kustomization.yaml']
  expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining([...others, ...sources]))
})

test.each(files)('$path is up to date (make docs writes it)', (file) => {
  expect(currentText(file)).toBe(file.text)
})
