import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { built, OVERLAYS } from './overlay.ts'
import { ask } from './tools.ts'

const SCHEMAS = 'test/manifests/schemas/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json'

const conforms = (input: string) => ask('kubeconform', ['-strict', '-summary', '-schema-location', SCHEMAS], { input })

const folders = [...OVERLAYS.map((name) => `knative/overlays/${name}`), 'knative/platform', 'knative/flux']

test.each(folders.filter((folder) => existsSync(folder)))(
  '%s is what Kubernetes, Knative and Flux declare',
  (folder) => {
    const { ok, output, errors } = conforms(built(folder))
    expect(output + errors).toMatch(/Invalid: 0, Errors: 0, Skipped: 0/)
    expect(ok).toBe(true)
  },
)

test.each([
  ['a field that is not known', 'minReadySeconds:', 'minReadySecond:'],
  ['a field of Knative that is not known', 'containerConcurrency:', 'containerConcurency:'],
  ['a field of a KafkaSource that is not known', 'consumerGroup:', 'consumergroup:'],
  ['text for a number', 'retry: 2500', 'retry: many'],
  ['a field that is missing', '  topic: dead-letters\n', ''],
  ['a kind that is not known', 'kind: KafkaSink', 'kind: KafkaSinc'],
  ['a field of a NetworkPolicy that is not known', 'namespaceSelector:', 'namespaceselector:'],
])('%s is refused', (_, right, wrong) => {
  const yaml = built('knative/overlays/kind-network')
  expect(yaml).toContain(right)
  expect(conforms(yaml.replaceAll(right, wrong)).ok).toBe(false)
})
