import { describe, expect, test } from 'vitest'
import { manualClock } from '#test/clock.ts'
import { dispatch } from './dispatch.ts'
import type { HttpResponse } from './http-client.ts'
import type { CloudEventRequest } from './record-to-request.ts'
import { type DeliverySpec, toRetryPolicy } from './retry-policy.ts'

const SINK = 'http://persist/'
const DEAD_LETTERS = 'http://dead-letters/'
const request: CloudEventRequest = { headers: { 'ce-id': 'id-1' }, body: 'data' }
const DAY = 86_400_000

/** Dispatches to sinks that answer as listed (the last answer repeats), and returns the outcome with the times of the posts. */
async function dispatching(
  delivery: DeliverySpec | undefined,
  answers: (number | undefined)[],
  {
    deadLetters = [204],
    body = '',
    within = 365 * DAY,
  }: { deadLetters?: (number | undefined)[]; body?: string; within?: number } = {},
) {
  const clock = manualClock(0)
  const stop = new AbortController()
  const posts: { url: string; at: number; request: CloudEventRequest }[] = []
  let retries = 0
  const post = async (url: string, request: CloudEventRequest): Promise<HttpResponse> => {
    const script = url === SINK ? answers : deadLetters
    const before = posts.filter((post) => post.url === url).length
    posts.push({ url, at: clock.now(), request })
    return { status: script[Math.min(before, script.length - 1)], head: Buffer.from(body) }
  }
  const onRetry = () => void retries++
  const outcome = dispatch(request, {
    sink: SINK,
    policy: toRetryPolicy(delivery),
    post,
    clock,
    stopping: stop.signal,
    onRetry,
  })
  await clock.advance(within)
  stop.abort()
  return { outcome: await outcome, posts, retries, times: posts.filter(({ url }) => url === SINK).map(({ at }) => at) }
}

const seconds = (...values: number[]) => values.map((value) => value * 1000)

describe('the response', () => {
  test.each([200, 202, 204, 299])('%d: delivered', async (status) => {
    expect(await dispatching({ retry: 3, deadLetterSink: DEAD_LETTERS }, [status])).toMatchObject({
      outcome: 'delivered',
      retries: 0,
    })
  })

  test.each([500, 502, 503, 599, 404, 408, 409, 429, undefined])('%s: retried `retry` times', async (status) => {
    const { outcome, times, retries } = await dispatching({ retry: 3 }, [status])
    expect(times).toHaveLength(4)
    expect({ outcome, retries }).toEqual({ outcome: 'lost', retries: 3 })
  })

  test.each([300, 302, 304, 400, 401, 403, 405, 410, 413, 415, 422, 499])(
    '%d: straight to the dead-letter sink, no retry',
    async (status) => {
      const { outcome, posts } = await dispatching({ retry: 1000, deadLetterSink: DEAD_LETTERS }, [status])
      expect(posts.map(({ url, at }) => [url, at])).toEqual([
        [SINK, 0],
        [DEAD_LETTERS, 0],
      ])
      expect(outcome).toBe(status === 422 ? 'refused' : 'dead letter')
    },
  )

  test('given failures that end, then the record is delivered and nothing is reported', async () => {
    const { outcome, posts } = await dispatching({ retry: 5, deadLetterSink: DEAD_LETTERS }, [503, undefined, 204])
    expect(outcome).toBe('delivered')
    expect(posts).toHaveLength(3)
  })
})

describe('delays', () => {
  test('linear: delay x n', async () => {
    const { times } = await dispatching({ retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT1S' }, [503])
    expect(times).toEqual(seconds(0, 1, 3, 6))
  })

  test('exponential: delay x 2^n with n from 1, so PT0.5S gives 1, 2, 4 s', async () => {
    const { times } = await dispatching({ retry: 3, backoffPolicy: 'exponential', backoffDelay: 'PT0.5S' }, [503])
    expect(times).toEqual(seconds(0, 1, 3, 7))
  })

  test('retry: 1000, linear, PT1S lasts five days', async () => {
    const { times } = await dispatching({ retry: 1000, backoffPolicy: 'linear', backoffDelay: 'PT1S' }, [503])
    expect(times).toHaveLength(1001)
    expect(times.at(-1)).toBe(500_500_000)
  })
})

describe('defaults', () => {
  test('without a delivery: 10 retries, exponential, PT0.3S, timeout PT600S', async () => {
    const { times, outcome } = await dispatching(undefined, [503])
    expect(times.slice(0, 4)).toEqual(seconds(0, 0.6, 1.8, 4.2))
    expect(times).toHaveLength(11)
    expect(outcome).toBe('lost')
    expect(toRetryPolicy(undefined).timeoutMs).toBe(600_000)
  })

  test.each([{}, { timeout: 'PT1S' }, { deadLetterSink: DEAD_LETTERS }])(
    'a delivery without `retry` has no retries, whatever else it sets: %j',
    async (delivery) => expect((await dispatching(delivery, [503])).times).toHaveLength(1),
  )

  test('backoffDelay without retry, timeout or a sink counts as no delivery settings at all: no retries', async () => {
    const { times, outcome } = await dispatching({ backoffDelay: 'PT1S', backoffPolicy: 'linear' }, [503])
    expect({ times, outcome }).toEqual({ times: [0], outcome: 'lost' })
  })
})

describe('the dead-letter sink', () => {
  const delivery: DeliverySpec = {
    retry: 2,
    backoffPolicy: 'linear',
    backoffDelay: 'PT1S',
    deadLetterSink: DEAD_LETTERS,
  }
  const lettersOf = ({ posts }: Awaited<ReturnType<typeof dispatching>>) =>
    posts.filter(({ url }) => url === DEAD_LETTERS)

  test('gets the event after the last retry, with knativeerrordest, -code and -data', async () => {
    const result = await dispatching(delivery, [500, 500, 503], { body: 'it is broken' })
    expect(lettersOf(result).map(({ request }) => request)).toEqual([
      {
        headers: {
          'ce-id': 'id-1',
          'ce-knativeerrordest': SINK,
          'ce-knativeerrorcode': '503',
          'ce-knativeerrordata': Buffer.from('it is broken').toString('base64'),
        },
        body: 'data',
      },
    ])
  })

  test('given a response without a body, then knativeerrordata is absent, not empty', async () => {
    const [letter] = lettersOf(await dispatching(delivery, [422]))
    expect(letter?.request.headers).toEqual({
      'ce-id': 'id-1',
      'ce-knativeerrordest': SINK,
      'ce-knativeerrorcode': '422',
    })
  })

  test('given no response, then only knativeerrordest is set', async () => {
    const [letter] = lettersOf(await dispatching(delivery, [undefined]))
    expect(letter?.request.headers).toEqual({ 'ce-id': 'id-1', 'ce-knativeerrordest': SINK })
  })

  test('has the same retry policy', async () => {
    const result = await dispatching(delivery, [422], { deadLetters: [503, 503, 202] })
    expect(lettersOf(result).map(({ at }) => at)).toEqual(seconds(0, 1, 3))
    expect(result.outcome).toBe('refused')
  })

  test.each([503, 400, undefined])('given that it fails too (%s), then the record is lost', async (status) => {
    const result = await dispatching(delivery, [422], { deadLetters: [status] })
    expect(lettersOf(result)).toHaveLength(status === 400 ? 1 : 3)
    expect(result.outcome).toBe('lost')
  })

  test('given none, then the record is lost', async () => {
    expect((await dispatching({ retry: 1 }, [422])).outcome).toBe('lost')
  })
})

describe('when the source closes', () => {
  test('a record that waits for a retry is stopped, neither lost nor a dead letter', async () => {
    const { outcome, posts } = await dispatching(
      { retry: 5, backoffDelay: 'PT60S', deadLetterSink: DEAD_LETTERS },
      [503],
      {
        within: 1000,
      },
    )
    expect(outcome).toBe('stopped')
    expect(posts).toHaveLength(1)
  })

  test('a record that waits for a retry of the dead-letter sink is stopped too', async () => {
    const delivery = { retry: 5, backoffDelay: 'PT60S', deadLetterSink: DEAD_LETTERS }
    expect((await dispatching(delivery, [422], { deadLetters: [503], within: 1000 })).outcome).toBe('stopped')
  })
})
