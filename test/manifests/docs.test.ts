import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { deadLetters } from '#core/kafka-source-policy.ts'
import { findDomains } from '#main/find-domains.ts'
import { isFunction, ofKind, overlay } from './overlay.ts'

const operations = [...readFileSync('docs/operations.md', 'utf8').matchAll(/^```sh\n(.*?)^```/gms)]
  .map(([, block = '']) => block)
  .join('\n')
const all = (pattern: RegExp): Set<string> => new Set([...operations.matchAll(pattern)].map(([, name = '']) => name))

test('docs/operations.md names topics, groups, functions, sources and volumes as they are', async () => {
  const domains = await findDomains()
  const objects = overlay('kind')
  const topics = new Set([...domains.map(({ topic }) => topic.name), deadLetters.name])
  const groups = new Set([...domains.map(({ name }) => `millrace-${name}`), 'millrace-tutorials-replay-1'])
  const functions = new Set(objects.filter(isFunction).map(({ metadata }) => metadata.name))
  const sources = new Set([...ofKind(objects, 'KafkaSource').map(({ metadata }) => metadata.name), 'tutorials-replay'])
  const volumes = new Set(
    ofKind(objects, 'StatefulSet').flatMap(({ metadata, spec }) =>
      spec.volumeClaimTemplates.flatMap((claim: { metadata: { name: string } }) =>
        Array.from({ length: spec.replicas }, (_, at) => `${claim.metadata.name}-${metadata.name}-${at}`),
      ),
    ),
  )
  for (const [names, there] of [
    [all(/--(?:topic|entity-name) ([a-z-]+)/g), topics],
    [all(/--group ([a-z0-9-]+)/g), groups],
    [all(/\bksvc ([a-z]+)/g), functions],
    [all(/\bkafkasource ([a-z-]+)/g), sources],
    [all(/\b(data-[a-z]+-\d)\b/g), volumes],
  ] as const) {
    expect(names.size).toBeGreaterThan(0)
    expect([...names].filter((name) => !there.has(name))).toEqual([])
  }
})
