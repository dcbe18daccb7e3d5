import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyWithNewDomains, names, runIn } from '../new-domains.ts'
import { pathOf } from './tools.ts'

let copy: string
beforeAll(() => {
  copy = copyWithNewDomains()
})
afterAll(() => {
  if (copy) rmSync(copy, { recursive: true, force: true })
})

test('given three new domains, then the manifests have their KafkaSources and pass every check', () => {
  const { output: built } = runIn(copy, pathOf('kustomize'), ['build', 'knative/overlays/kind'])
  for (const name of names) expect(built).toContain(`consumerGroup: millrace-${name}`)
  const files = ['truth', 'schema', 'cpu', 'deploy', 'docs.test', 'rules'].map((name) => `test/manifests/${name}`)
  const { status, output } = runIn(copy, 'node_modules/.bin/vitest', [
    'run',
    '--reporter',
    'dot',
    '--project',
    'manifests',
    ...files,
  ])
  expect(status, output).toBe(0)
})
