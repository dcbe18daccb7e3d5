import { expect, test } from 'vitest'
import type { Request } from '#core/request.ts'
import sums from '#domains/sums/domain.ts'
import { anybody } from '#test/auth/anybody.ts'
import { quiet } from '#test/telemetry.ts'
import { type QuerierParts, querier } from './querier.ts'

const telemetry = quiet()
const request = (path: string) =>
  ({ method: 'GET', path, query: new URLSearchParams(), headers: {} }) as unknown as Request
const asking = (faults: boolean) =>
  querier({ ...telemetry, domains: [sums], callerOf: anybody, faults, descriptions: {} } as unknown as QuerierParts)

const deliberate = async () =>
  Number(/^millrace_errors_total\{cause="deliberate"\} (\d+)/m.exec((await telemetry.metrics.scrape()).text)?.[1] ?? 0)

test('the route that fails on purpose exists only with FAULT_ROUTES=on', async () => {
  await expect(asking(false)(request('/api/final/error'))).rejects.toMatchObject({ status: 404 })
  expect(await deliberate()).toBe(0)
})

test('the route answers 500 with the reason and counts as a failure', async () => {
  const query = asking(true)
  await expect(query(request('/api/final/error'))).rejects.toMatchObject({
    status: 500,
    message: expect.stringContaining('on purpose'),
  })
  expect(await deliberate()).toBe(1)
  await expect(query(request('/api/final/errors'))).rejects.toMatchObject({ status: 404 })
})
