import { expect, test } from 'vitest'
import type { CommandType, Domain } from '#domains/domain.ts'
import sums from '#domains/sums/domain.ts'
import { findDomains } from '#main/find-domains.ts'
import { refuseClashes, retaining } from './registry.ts'

test('findDomains finds every folder under domains/', async () => {
  expect((await findDomains()).map(({ name }) => name)).toEqual(['forum', 'letters', 'logs', 'sums', 'tutorials'])
})

test('two domains with the same topic fail the start with an error that names both', async () => {
  const tutorials = (await findDomains()).find(({ name }) => name === 'tutorials')
  if (!tutorials) throw new Error('no domain')
  expect(() => refuseClashes([tutorials, { ...tutorials, name: 'other' }])).toThrow(
    'topic tutorials-topic belongs to domain tutorials and to domain other',
  )
})

test('a command whose sender chooses its id fails the start unless it has a scope', async () => {
  const tutorials = (await findDomains()).find(({ name }) => name === 'tutorials')
  const { scope: _, ...open }: CommandType = { ...(tutorials?.commands['tutorials.import'] as CommandType) }
  const opened = { ...tutorials, commands: { 'tutorials.import': open } } as Domain
  expect(() => refuseClashes([opened])).toThrow(
    'tutorials.import takes its id from the sender, so it must have a scope',
  )
})

test.each(['letters', 'attemptCounts', 'attempts', 'runs'])('a domain cannot have the collection %s', (name) => {
  const domain = { ...sums, collections: [{ name, indexes: {} }] }
  expect(() => refuseClashes([domain])).toThrow(`collection ${name} belongs to Millrace itself and to domain sums`)
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
