import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Domain } from '#domains/domain.ts'
import { findDomains } from '#main/find-domains.ts'
import { retaining } from './registry.ts'

test('findDomains finds every folder under domains/', async () => {
  const folders = readdirSync('domains', { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const names = [...folders.map(({ name }) => name), 'letters'].sort()
  expect(names).toEqual(expect.arrayContaining(['forum', 'letters', 'logs', 'sums', 'tutorials']))
  expect((await findDomains()).map(({ name }) => name)).toEqual(names)
})

test('RETENTION_DAYS changes the retention of domains that remove documents, and fails for all others', () => {
  const documents = { collection: { name: 'notes', indexes: {} }, document: () => ({}) }
  const notes = {
    kind: 'append',
    name: 'notes',
    topic: { name: 'notes', partitions: 1 },
    commands: {},
    queries: [],
  } as const
  const forgetful: Domain = { ...notes, commands: {}, queries: [], documents: { ...documents, retentionDays: 30 } }
  const faithful: Domain = { ...forgetful, name: 'kept', documents }
  const domains = [forgetful, faithful]
  const shorter = { ...forgetful, documents: { ...documents, retentionDays: 7 } }
  expect(retaining(domains, new Map())).toEqual(domains)
  expect(retaining(domains, new Map([['notes', 7]]))).toEqual([shorter, faithful])
  for (const name of ['kept', 'none'])
    expect(() => retaining(domains, new Map([[name, 7]]))).toThrow(`RETENTION_DAYS: no domain named ${name}`)
})
