import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { CallerOf } from '#core/access.ts'
import type { Log } from '#core/log.ts'
import { addresses } from '#core/receipts.ts'
import type { Request } from '#core/request.ts'
import { Unavailable } from '#core/unavailable.ts'
import { findDomains } from '#main/find-domains.ts'
import { anybody } from '#test/auth/anybody.ts'
import { manualClock } from '#test/clock.ts'
import { quiet } from '#test/telemetry.ts'
import { SEALS } from '#test/trust.ts'
import { publisher, withWelcome } from './publisher.ts'
import { submitter } from './submit.ts'

const domains = await findDomains()
const START = Date.UTC(2030, 0, 1)

interface Given {
  append?(deadline: number): ReturnType<Log['append']>
  callerOf?: CallerOf
}

/** publish with a manual clock, a slow log and a slow issuer. */
function given({ append = () => new Promise(() => {}), callerOf = anybody }: Given) {
  const clock = manualClock(START)
  const deadlines: number[] = []
  const parts = {
    addresses: addresses('a secret of thirty-two characters'),
    ...quiet(),
    seals: SEALS,
    waiting: { wait: async () => ({ status: 'pending' }) as const },
    clock,
    log: {
      append(_: string, __: unknown, deadline = Number.POSITIVE_INFINITY) {
        deadlines.push(deadline - START)
        return append(deadline)
      },
    },
  }
  const byDeadline = (deadline: number, mayBeWritten: boolean) =>
    clock.sleep(deadline - clock.now()).then(() => {
      throw new Unavailable('log', 'too late', { mayBeWritten })
    })
  const publish = publisher({ domains, callerOf, ...parts }, withWelcome(domains, submitter(parts), parts.logger))
  function ask(path: string, body: string, type = 'application/json') {
    const end: { status?: number; at?: number; members?: Record<string, unknown> } = {}
    publish(request(path, body, type, clock.now())).then(
      ({ status }) => Object.assign(end, { status, at: clock.now() - START }),
      ({ status, members }) => Object.assign(end, { status, members, at: clock.now() - START }),
    )
    return end
  }
  return { clock, deadlines, byDeadline, ask }
}

const request = (path: string, body: string, type: string, arrived: number): Request => ({
  method: 'POST',
  path,
  query: new URLSearchParams(),
  headers: { 'content-type': type },
  body: Buffer.from(body),
  route: '',
  trace: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, traceId: 'a'.repeat(32) },
  arrived,
  signal: new AbortController().signal,
  closing: new AbortController().signal,
})

const TUTORIAL = JSON.stringify({ title: 'It turns' })

test('given a slow issuer, then the log has the rest of the time', async () => {
  const callerOf: CallerOf = async () => {
    await clock.sleep(1500)
    return { id: 'ada', scopes: new Set(['tutorials:write']) }
  }
  const { clock, ask, deadlines, byDeadline } = given({ callerOf, append: (deadline) => byDeadline(deadline, false) })
  const end = ask('/api/tutorials', TUTORIAL)
  await clock.advance(1799)
  expect(end.status).toBeUndefined()
  await clock.advance(1)
  expect(deadlines).toEqual([1800])
  expect(end).toMatchObject({ status: 503, at: 1800, members: { unknown: false } })
})

test('the issuer gets the deadline of the request', async () => {
  const told: (number | undefined)[] = []
  const callerOf: CallerOf = async (_, deadline) => {
    told.push(deadline)
    throw new Unavailable('issuer', 'away')
  }
  const { clock, ask } = given({ callerOf })
  ask('/api/tutorials', TUTORIAL)
  await clock.advance(0)
  expect(told).toEqual([START + 1800])
})

test('given a log that never responds, then publish reports "unknown" 1.9 s after the request', async () => {
  const { clock, ask } = given({})
  const end = ask('/api/tutorials', TUTORIAL)
  await clock.advance(1000)
  const later = ask('/api/tutorials', TUTORIAL)
  await clock.advance(5000)
  expect(end).toMatchObject({ status: 503, at: 1900, members: { unknown: true } })
  expect(later).toMatchObject({ status: 503, at: 2900 })
})

test('given a late event loop, then an append that has already ended still succeeds', async () => {
  const append = () =>
    new Promise<{ partition: number; offset: number }>((resolve) => {
      void clock.sleep(1900).then(() => setImmediate(resolve, { partition: 0, offset: 0 }))
    })
  const { clock, ask } = given({ append })
  const end = ask('/api/tutorials', TUTORIAL)
  await clock.advance(5000)
  expect(end).toMatchObject({ status: 202 })
})

test('a welcome and the command after it share one deadline', async () => {
  const ada = { id: 'ada', name: 'Ada', scopes: new Set(['forum:write']) }
  let appends = 0
  const append = async (deadline: number) => {
    if (++appends > 1) return await byDeadline(deadline, false)
    await clock.sleep(1700)
    return { partition: 0, offset: 0 }
  }
  const { clock, ask, deadlines, byDeadline } = given({ callerOf: async () => ada, append })
  const end = ask('/api/forum/threads', JSON.stringify({ title: 'Wheels', text: 'They turn' }))
  await clock.advance(5000)
  expect(deadlines).toEqual([1800, 1800])
  expect(end).toMatchObject({ status: 503, at: 1800 })
})

test('a batch has one deadline until a line is accepted, and later windows have their own', async () => {
  const lines = (count: number) => Array.from({ length: count }, () => `${JSON.stringify(EVENT)}\n`).join('')
  let appends = 0
  const append = async (deadline: number) => {
    if (++appends > 1000) return await byDeadline(deadline, true)
    await clock.sleep(1700)
    return { partition: 0, offset: 0 }
  }
  const { clock, ask, deadlines, byDeadline } = given({ append })
  const begun = async (lines: number) => {
    while (appends < lines) await turn()
  }
  const taken = ask('/api/logs', lines(1500), 'application/x-ndjson')
  await begun(1000)
  await clock.advance(1700)
  await begun(1500)
  expect(new Set(deadlines)).toEqual(new Set([1800, 1700 + 1800]))
  await clock.advance(1800)
  expect(taken).toMatchObject({ status: 207, at: 3500 })
  const refused = ask('/api/logs', lines(1500), 'application/x-ndjson')
  await begun(2500)
  await clock.advance(5000)
  expect(refused).toMatchObject({ status: 503, at: 3500 + 1800 })
})

const EVENT = {
  organizationId: 'acme',
  service: 'mill',
  level: 'info',
  message: 'It turns',
  timestamp: '2029-12-31T00:00:00Z',
}
