import { expect, test } from 'vitest'
import { prometheusMetrics } from './metrics.ts'

const { batchSize, failed, letterKept, measureLag, queueLatency, requestDone, scrape } = prometheusMetrics()

const series = (text: string, name: string) => text.split('\n').find((line) => line.startsWith(`${name} `))

test('a scrape has all counts and measurements', async () => {
  const request = { function: 'publish', method: 'POST', route: '/api/things' }
  requestDone({ ...request, status: 202 }, 3)
  requestDone({ ...request, status: 202 }, 30)
  requestDone({ ...request, status: 503 }, 30)
  batchSize('persist', 'things', 7)
  queueLatency('things', 40, true)
  queueLatency('things', 7000, false)
  failed('store')
  letterKept()
  const { text, contentType } = await scrape()
  expect(contentType).toContain('text/plain')
  const labels = 'function="publish",method="POST",route="/api/things",status="202"'
  expect(series(text, `millrace_request_duration_seconds_count{${labels}}`)).toMatch(/ 2$/)
  expect(series(text, `millrace_request_duration_seconds_bucket{le="0.005",${labels}}`)).toMatch(/ 1$/)
  expect(series(text, 'millrace_batch_size_sum{function="persist",topic="things"}')).toMatch(/ 7$/)
  expect(series(text, 'millrace_queue_latency_seconds_sum{domain="things"}')).toMatch(/ 0\.04$/)
  expect(series(text, 'millrace_queue_latency_seconds_count{domain="things"}')).toMatch(/ 1$/)
  expect(series(text, 'millrace_redelivery_latency_seconds_sum{domain="things"}')).toMatch(/ 7$/)
  expect(series(text, 'millrace_errors_total{cause="store"}')).toMatch(/ 1$/)
  expect(series(text, 'millrace_letters_total')).toMatch(/ 1$/)
})

test('each scrape reads the lag; if that fails, the scrape has the last known lag and all other metrics', async () => {
  let records = 5
  measureLag(async () => {
    if (records < 0) throw new Error('away')
    return [{ topic: 'things', lag: new Map([[1, records]]) }]
  })
  const lag = async () => series((await scrape()).text, 'millrace_lag{topic="things",partition="1"}')
  expect(await lag()).toMatch(/ 5$/)
  records = 6
  expect(await lag()).toMatch(/ 6$/)
  records = -1
  expect(await lag()).toMatch(/ 6$/)
})

test('a lag that is never read does not delay a scrape', async () => {
  measureLag(() => new Promise(() => {}))
  expect((await scrape()).text).toContain('millrace_letters_total')
})
