import { expect, test } from 'vitest'
import { z } from 'zod'
import { Problem } from '#core/problem.ts'
import { commandTypes, type KnownType } from '#core/registry.ts'
import type { Caller, Domain } from '#domains/domain.ts'
import { quiet } from '#test/telemetry.ts'
import { withWelcome } from './publisher.ts'
import type { Submit } from './submit.ts'

const data = z.strictObject({ name: z.string().max(20).exactOptional(), email: z.string().exactOptional() })
const domain = {
  kind: 'append',
  name: 'guests',
  topic: { name: 'guests', partitions: 1 },
  commands: {
    'guests.greet': { data, scope: 'guests:write', welcome: true, stream: (_, __, actor) => actor, routes: [] },
    'guests.write': { data, stream: () => 'book', routes: [] },
  },
  documents: { collection: { name: 'guests', indexes: {} }, document: () => ({}) },
  queries: [],
} satisfies Domain as Domain
const other = {
  ...domain,
  name: 'sums',
  topic: { name: 'sums', partitions: 1 },
  commands: { 'sums.add': { data, stream: () => 'sum', routes: [] } },
} satisfies Domain as Domain
const add = commandTypes([other]).get('sums.add') as KnownType
const write = commandTypes([domain]).get('guests.write') as KnownType

const ada: Caller = { id: 'ada', name: 'Ada', email: 'ada@mill.example', scopes: new Set(['guests:write']) }
const submission = {
  headers: { 'idempotency-key': 'her own', prefer: 'wait=5' },
  trace: { traceparent: '', traceId: '' },
  signal: new AbortController().signal,
}

function submitting(failure: () => Error | undefined = () => undefined) {
  const taken: unknown[][] = []
  const submit = withWelcome(
    [domain, other],
    async ({ type }, data, { id }, { key, headers, line }) => {
      const error = failure()
      if (error && type === 'guests.greet') throw error
      await undefined
      taken.push(type === 'guests.greet' ? [type, id, data, key, headers] : [type, id, line])
      return { id: 'id', receipt: 'receipt', isApplied: false }
    },
    quiet().logger,
  )
  return {
    taken,
    submit: (...args: Partial<Parameters<Submit>>) =>
      submit(args[0] ?? write, {}, args[2] ?? ada, { ...submission, ...args[3] }),
  }
}

const greeting = ['guests.greet', 'ada', { name: 'Ada', email: 'ada@mill.example' }, 'guests.greet', {}]

test('a caller is welcomed once, before the first command, with the claims of the token', async () => {
  const { taken, submit } = submitting()
  await submit()
  await submit()
  expect(taken).toEqual([greeting, ['guests.write', 'ada', undefined], ['guests.write', 'ada', undefined]])
})

test("the lines of a caller's first batch stay in their order", async () => {
  const { taken, submit } = submitting()
  const line = (line: number) => submit(write, {}, ada, { ...submission, line })
  await Promise.all([1, 2, 3, 4].map(line))
  await line(5)
  expect(taken).toEqual([greeting, ...[1, 2, 3, 4, 5].map((line) => ['guests.write', 'ada', line])])
})

test('a caller without a token or without the required scope is not welcomed', async () => {
  const { taken, submit } = submitting()
  await submit(write, {}, { id: 'anonymous', scopes: new Set(['guests:write']) }, submission)
  await submit(write, {}, { id: 'bob', scopes: new Set() }, submission)
  expect(taken.map(([type]) => type)).toEqual(['guests.write', 'guests.write'])
})

test('claims that the welcome command does not accept do not refuse the caller', async () => {
  const { taken, submit } = submitting()
  await submit(write, {}, { ...ada, name: 'A'.repeat(21) }, submission)
  expect(taken).toEqual([['guests.write', 'ada', undefined]])
})

test('while the log is unavailable the command is not tried, and the next one is welcomed', async () => {
  let isAway: Error | undefined = new Problem(503, 'Log unavailable', 'for a welcome', {
    members: { id: 'of a welcome' },
  })
  const { taken, submit } = submitting(() => isAway)
  await expect(submit()).rejects.toMatchObject({ status: 503, members: {}, headers: { 'retry-after': '1' } })
  isAway = undefined
  await submit()
  expect(taken).toEqual([greeting, ['guests.write', 'ada', undefined]])
})

test('a refused welcome does not delay the command', async () => {
  const { taken, submit } = submitting(() => new Problem(403, 'Not allowed', 'never'))
  await submit()
  expect(taken).toEqual([['guests.write', 'ada', undefined]])
})

test('commands of other domains do not wait for a welcome', async () => {
  let isAway: Error | undefined = new Problem(503, 'Log unavailable', 'for a welcome')
  const { taken, submit } = submitting(() => isAway)
  await submit(add)
  await expect(submit(write)).rejects.toMatchObject({ status: 503 })
  await submit(add)
  isAway = undefined
  await submit(add)
  await submit(write)
  const added = ['sums.add', 'ada', undefined]
  expect(taken).toEqual([added, added, added, greeting, ['guests.write', 'ada', undefined]])
})

test('a caller who keeps returning stays known, and one who does not is forgotten', async () => {
  const { taken, submit } = submitting()
  const welcomed = () =>
    taken.filter(([type, id]) => type === 'guests.greet' && !String(id).startsWith('guest-')).length
  await submit()
  await submit(write, {}, { ...ada, id: 'bob' })
  for (let at = 0; at < 15_000; at++) {
    await submit(write, {}, { ...ada, id: `guest-${at}` })
    if (at % 5000 === 0) await submit()
  }
  expect(welcomed()).toBe(2)
  await submit()
  expect(welcomed()).toBe(2)
  await submit(write, {}, { ...ada, id: 'bob' })
  expect(welcomed()).toBe(3)
})
