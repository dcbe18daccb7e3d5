import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { deadLetters } from '#core/kafka-source-policy.ts'
import { findDomains } from '#main/find-domains.ts'
import { isFunction, ofKind, overlay } from './overlay.ts'

const PAGES = ['README.md', 'docs/operations.md', 'knative/README.md', 'knative/flux/README.md']
const blocksOf = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block)
const operations = blocksOf('docs/operations.md').join('\n')
const all = (pattern: RegExp): Set<string> => new Set([...operations.matchAll(pattern)].map(([, name = '']) => name))

const targets = new Set(
  [...readFileSync('Makefile', 'utf8').matchAll(/^([a-z- ]+):/gm)].flatMap(([, names = '']) => names.split(' ')),
)

test.each(PAGES)('the commands in %s are shell, and every make target is there', (path) => {
  for (const block of blocksOf(path)) {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    for (const [, words = ''] of block.matchAll(/^make ([^#\n]*)/gm)) {
      for (const word of words.trim().split(/ +/)) if (/^[a-z-]+$/.test(word)) expect(targets).toContain(word)
    }
  }
})

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
