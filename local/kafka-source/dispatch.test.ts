import { describe, expect, test } from 'vitest'
import { manualClock } from '#test/clock.ts'
import { deliver } from './dispatch.ts'
import { type DeliverySpec, policyOf } from './retry-policy.ts'
import type { Answer } from './http-client.ts'
import type { Posting } from './record-to-request.ts'

const SINK = 'http://persist/'
const DEAD_LETTERS = 'http://dead-letters/'
const posting: Posting = { headers: { 'ce-id': 'id-1' }, body: 'data' }
const DAY = 86_400_000

/** Delivers to sinks that answer as listed (the last answer again and again), and says what came of it and when. */
async function delivering(
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
  const posts: { url: string; at: number; posting: Posting }[] = []
  let retries = 0
  const post = async (url: string, posting: Posting): Promise<Answer> => {
    const script = url === SINK ? answers : deadLetters
    const before = posts.filter((post) => post.url === url).length
    posts.push({ url, at: clock.now(), posting })
    return { status: script[Math.min(before, script.length - 1)], head: Buffer.from(body) }
  }
  const onRetry = () => void retries++
  const fate = deliver(posting, { sink: SINK, policy: policyOf(delivery), post, clock, stopping: stop.signal, onRetry })
  await clock.advance(within)
  stop.abort()
  return { fate: await fate, posts, retries, times: posts.filter(({ url }) => url === SINK).map(({ at }) => at) }
}

const seconds = (...values: number[]) => values.map((value) => value * 1000)

describe('what it does with the answer', () => {
  test.each([200, 202, 204, 299])('%d: delivered', async (status) => {
    expect(await delivering({ retry: 3, deadLetterSink: DEAD_LETTERS }, [status])).toMatchObject({
      fate: 'delivered',
      retries: 0,
    })
  })

  test.each([500, 502, 503, 599, 404, 408, 409, 429, undefined])('%s: retried `retry` times', async (status) => {
    const { fate, times, retries } = await delivering({ retry: 3 }, [status])
    expect(times).toHaveLength(4)
    expect({ fate, retries }).toEqual({ fate: 'lost', retries: 3 })
  })

  test.each([300, 302, 304, 400, 401, 403, 405, 410, 413, 415, 422, 499])(
    '%d: straight to the dead-letter sink, no retry',
    async (status) => {
      const { fate, posts } = await delivering({ retry: 1000, deadLetterSink: DEAD_LETTERS }, [status])
      expect(posts.map(({ url, at }) => [url, at])).toEqual([
        [SINK, 0],
        [DEAD_LETTERS, 0],
      ])
      expect(fate).toBe('dead letter')
    },
  )

  test('given failures that pass, then it is delivered and no one hears of it', async () => {
    const { fate, posts } = await delivering({ retry: 5, deadLetterSink: DEAD_LETTERS }, [503, undefined, 204])
    expect(fate).toBe('delivered')
    expect(posts).toHaveLength(3)
  })
})

describe('delays', () => {
  test('linear: delay x n', async () => {
    const { times } = await delivering({ retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT1S' }, [503])
    expect(times).toEqual(seconds(0, 1, 3, 6))
  })

  test('exponential: delay x 2^n with n from 1, so PT0.5S gives 1, 2, 4 s', async () => {
    const { times } = await delivering({ retry: 3, backoffPolicy: 'exponential', backoffDelay: 'PT0.5S' }, [503])
    expect(times).toEqual(seconds(0, 1, 3, 7))
  })

  test('retry: 1000, linear, PT1S goes on for five days', async () => {
    const { times } = await delivering({ retry: 1000, backoffPolicy: 'linear', backoffDelay: 'PT1S' }, [503])
    expect(times).toHaveLength(1001)
    expect(times.at(-1)).toBe(500_500_000)
  })
})

describe('defaults', () => {
  test('no delivery at all: 10 retries, exponential, PT0.3S, timeout PT600S', async () => {
    const { times, fate } = await delivering(undefined, [503])
    expect(times.slice(0, 4)).toEqual(seconds(0, 0.6, 1.8, 4.2))
    expect(times).toHaveLength(11)
    expect(fate).toBe('lost')
    expect(policyOf(undefined).timeoutMs).toBe(600_000)
  })

  test.each([{}, { timeout: 'PT1S' }, { deadLetterSink: DEAD_LETTERS }])(
    'with a delivery these defaults are gone: without `retry` there is no retry at all: %j',
    async (delivery) => expect((await delivering(delivery, [503])).times).toHaveLength(1),
  )

  test('backoffDelay without retry, timeout or a sink counts as no delivery settings at all: no retries', async () => {
    const { times, fate } = await delivering({ backoffDelay: 'PT1S', backoffPolicy: 'linear' }, [503])
    expect({ times, fate }).toEqual({ times: [0], fate: 'lost' })
  })
})

describe('the dead-letter sink', () => {
  const delivery: DeliverySpec = {
    retry: 2,
    backoffPolicy: 'linear',
    backoffDelay: 'PT1S',
    deadLetterSink: DEAD_LETTERS,
  }
  const lettersOf = ({ posts }: Awaited<ReturnType<typeof delivering>>) =>
    posts.filter(({ url }) => url === DEAD_LETTERS)

  test('gets the event after the last retry, with knativeerrordest, -code and -data', async () => {
    const result = await delivering(delivery, [500, 500, 503], { body: 'it is broken' })
    expect(lettersOf(result).map(({ posting }) => posting)).toEqual([
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

  test('given an answer without a body, then there is no knativeerrordata, not an empty one', async () => {
    const [letter] = lettersOf(await delivering(delivery, [422]))
    expect(letter?.posting.headers).toEqual({
      'ce-id': 'id-1',
      'ce-knativeerrordest': SINK,
      'ce-knativeerrorcode': '422',
    })
  })

  test('given that there was no answer at all, then only knativeerrordest tells', async () => {
    const [letter] = lettersOf(await delivering(delivery, [undefined]))
    expect(letter?.posting.headers).toEqual({ 'ce-id': 'id-1', 'ce-knativeerrordest': SINK })
  })

  test('is sent to with the same retry policy', async () => {
    const result = await delivering(delivery, [422], { deadLetters: [503, 503, 202] })
    expect(lettersOf(result).map(({ at }) => at)).toEqual(seconds(0, 1, 3))
    expect(result.fate).toBe('dead letter')
  })

  test.each([503, 400, undefined])('if that fails too (%s), the record is gone', async (status) => {
    const result = await delivering(delivery, [422], { deadLetters: [status] })
    expect(lettersOf(result)).toHaveLength(status === 400 ? 1 : 3)
    expect(result.fate).toBe('lost')
  })

  test('if there is none, the record is gone', async () => {
    expect((await delivering({ retry: 1 }, [422])).fate).toBe('lost')
  })
})

describe('when the source closes', () => {
  test('what waits for a retry is stopped, neither lost nor a dead letter', async () => {
    const { fate, posts } = await delivering({ retry: 5, backoffDelay: 'PT60S', deadLetterSink: DEAD_LETTERS }, [503], {
      within: 1000,
    })
    expect(fate).toBe('stopped')
    expect(posts).toHaveLength(1)
  })

  test('so is what waits to be sent to the dead-letter sink again', async () => {
    const delivery = { retry: 5, backoffDelay: 'PT60S', deadLetterSink: DEAD_LETTERS }
    expect((await delivering(delivery, [422], { deadLetters: [503], within: 1000 })).fate).toBe('stopped')
  })
})
