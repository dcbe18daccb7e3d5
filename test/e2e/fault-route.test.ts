import { afterEach, expect, inject, test } from 'vitest'
import { discard, expectProblem, type Mill, send, startMill } from '../mill.ts'

let mill: Mill
afterEach(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

const get = (path: string) => fetch(mill.query + path)

test('the deliberate 500 is a problem that says so, and the metrics count it as a 5xx', async () => {
  mill = await startMill({ pair: inject('pair'), env: { FAULT_ROUTES: 'on' } })
  for (let round = 0; round < 3; round++) {
    const problem = await expectProblem(await get('/api/final/error'), 500)
    expect(problem.detail).toContain('on purpose')
  }
  const metrics = await (await get('/metrics')).text()
  expect(metrics).toMatch(
    /^millrace_request_duration_seconds_count\{function="query",method="GET",route="\/api\/final\/error",status="500"\} 3$/m,
  )
  expect(metrics).toContain('millrace_errors_total{cause="deliberate"} 3')
  expect((await get('/api/final')).status).toBe(200)
})

test('the path of the deliberate 500 is 404 without the flag', async () => {
  mill = await startMill({ pair: inject('pair') })
  const problem = await expectProblem(await get('/api/final/error'), 404)
  expect(problem.detail).not.toContain('on purpose')
  await expectProblem(await send(`${mill.publish}/api/final/error`, {}), 404)
})
