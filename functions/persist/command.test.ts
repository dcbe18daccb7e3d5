import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Delivery, MALFORMED, PLAIN } from '#core/delivery.ts'
import { derivedId } from '#core/ids.ts'
import { commandTypes } from '#core/registry.ts'
import type { CommandType, Domain } from '#domains/domain.ts'
import { findDomains } from '#main/find-domains.ts'
import { fromSource, readCommand } from './command.ts'
import type { Verdict } from './envelope.ts'

const domains = await findDomains()
const known = { types: commandTypes(domains), topics: new Map(domains.map((domain) => [domain.topic.name, domain])) }

/** As before records were sealed. */
const trusted: Verdict = { kind: 'trusted' }

const event = (changes: Partial<Delivery> = {}): Delivery => ({
  specversion: '1.0',
  id: 'id-1',
  source: '/millrace/publish',
  type: 'tutorials.publish',
  time: '2026-01-02T03:04:05.678Z',
  datacontenttype: 'text/plain; charset=utf-8',
  knativekafkapartition: '2',
  knativekafkaoffset: '41',
  bodyhash: 'hash',
  actor: 'anonymous',
  data: 'A title',
  ...changes,
})

const plain = (changes: Partial<Delivery> = {}): Delivery => {
  const {
    bodyhash: _,
    actor: __,
    ...rest
  } = event({
    id: 'partition:2/offset:41',
    type: PLAIN,
    source: '/apis/v1/namespaces/millrace/kafkasources/tutorials#tutorials-topic',
    subject: 'partition:2#41',
    ...changes,
  })
  return rest
}

const commandOf = (given: Delivery) => {
  const read = readCommand(given, known, trusted)
  if (!read.ok) throw new Error(read.failure.message)
  return read.received
}

const reasonOf = (given: Delivery) => {
  const read = readCommand(given, known, trusted)
  if (read.ok) throw new Error('it was read as a command')
  return read.failure.message
}

test('a command that publish wrote is read as it was', () => {
  const { command, hash } = commandOf(event())
  expect(command).toEqual({
    id: 'id-1',
    type: 'tutorials.publish',
    stream: 'tutorial/id-1',
    time: '2026-01-02T03:04:05.678Z',
    actor: 'anonymous',
    scopes: [],
    offset: 41,
    data: { title: 'A title' },
  })
  expect(hash).toBe('hash')
})

test.each([Buffer.from('Grüße'), 'Grüße'])('the value may come as text or as bytes', (data) => {
  expect(commandOf(event({ data })).command.data).toEqual({ title: 'Grüße' })
})

test('a bare record becomes the command that its topic names, and the same record always the same one', () => {
  const one = commandOf(plain()).command
  expect(one.data).toEqual({ title: 'A title' })
  expect(commandOf(plain()).command.id).toBe(one.id)
})

test('the identity of a bare record is topic, partition, offset and time: offsets come back in a topic made anew', () => {
  const ids = [
    plain(),
    plain({ id: 'partition:1/offset:41' }),
    plain({ id: 'partition:2/offset:42' }),
    plain({ time: '2026-01-02T03:04:05.679Z' }),
  ].map((given) => commandOf(given).command.id)
  expect(new Set(ids).size).toBe(4)
})

test('a bare record that comes back from the error topic is the same command, wherever its copy stands', () => {
  const copy = plain({ knativekafkapartition: '0', knativekafkaoffset: '7', knativeerrordest: 'http://persist/' })
  expect(commandOf(copy).command.id).toBe(commandOf(plain()).command.id)
})

test.each([
  ['an unknown type', event({ type: 'nobody.knows' }), 'unknown command type nobody.knows'],
  ['a request that is not an event', event({ type: MALFORMED, reason: 'no ce-id' }), 'no ce-id'],
  ['a tombstone', event({ data: undefined }), 'a record without a value'],
  ['a value that fails the schema', event({ data: '   ' }), 'fails its schema: title'],
  ['a time that is none', event({ time: 'yesterday' }), 'time is not a date: yesterday'],
  ['a bare record of a foreign topic', plain({ source: '/x#foreign' }), 'topic foreign is not ours'],
])('%s becomes a letter that says why', (_, given, reason) => {
  expect(reasonOf(given)).toContain(reason)
})

test('what does not say where in the log it stands is not from a KafkaSource', () => {
  expect(fromSource(event())).toBe(true)
  expect(fromSource(event({ knativekafkaoffset: undefined as never }))).toBe(false)
  expect(fromSource(event({ knativekafkapartition: 'x' }))).toBe(false)
})

test('a bare record with a key in its body is the command that publish makes of this key', () => {
  const value = (produceTimestamp: number) =>
    JSON.stringify({ requestId: 'r-1', 'First Number': 2, 'Second Number': 3, Result: 5, produceTimestamp })
  const [first, again] = [1, 2].map((offset) =>
    commandOf(
      plain({ id: `partition:0/offset:${offset}`, source: '/kafkasources/old#summation', data: value(offset) }),
    ),
  )
  expect(first?.command).toMatchObject({ id: derivedId('sums', 'anonymous', 'r-1', 0), type: 'sums.add' })
  expect(again?.command.id).toBe(first?.command.id)
  expect(again?.hash).toBe(first?.hash)
})

test('actor, scopes and stream are read as the host gives them, once decoded', () => {
  const { command } = commandOf(event({ actor: 'a%20b', scopes: 'notes:write,notes:administrate' }))
  expect(command).toMatchObject({ actor: 'a%20b', scopes: ['notes:write', 'notes:administrate'] })
  const unknown = readCommand(event({ type: 'who.knows', partitionkey: 'author/a%20b' }), known, trusted)
  expect(unknown).toMatchObject({ ok: false, stream: 'author/a%20b' })
})

test('what the rules throw while a command is read is its fault', () => {
  const fails = (changes: Partial<CommandType>) => {
    const [tutorials] = domains.filter(({ name }) => name === 'tutorials')
    const command = { ...tutorials?.commands['tutorials.publish'], ...changes } as CommandType
    const types = new Map([['tutorials.publish', { domain: tutorials as Domain, type: 'tutorials.publish', command }]])
    const read = readCommand(event(), { ...known, types }, trusted)
    return read.ok ? 'it was read' : read.failure.message
  }
  const broken = () => {
    throw new Error('a bug')
  }
  expect(fails({ stream: broken })).toContain('a bug')
  expect(fails({ data: z.any().transform(broken) })).toContain('a bug')
})
