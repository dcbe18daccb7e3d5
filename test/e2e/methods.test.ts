import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { authorized } from '../auth/tokens.ts'
import { discard, expectProblem, type Mill, startMill } from '../mill.ts'

/** The methods of these paths. The gateway sends reads to query and all other methods to publish. */
const ALLOWED = {
  '/': 'POST',
  '/docs': 'GET, HEAD',
  '/docs/': 'GET, HEAD',
  '/docs/start.js': 'GET, HEAD',
  '/openapi.json': 'GET, HEAD',
  '/asyncapi.json': 'GET, HEAD',
  '/api/tutorials': 'GET, HEAD, POST',
  '/api/letters': 'GET, HEAD',
  '/api/letters/redrive': 'POST',
  '/api/letters/discard': 'POST',
  '/api/letters/redrives': 'GET, HEAD',
  '/api/letters/some-id': 'GET, HEAD',
  '/api/forum/threads/some-id': 'DELETE, GET, HEAD, PATCH',
}
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

describe.each(inject('servings'))('on the %s', (serving) => {
  let mill: Mill
  beforeAll(async () => {
    mill = await startMill({ pair: inject('pair'), serving })
  }, 60_000)
  afterAll(async () => {
    await mill?.stop()
    if (mill) discard(mill)
  })

  test.each(Object.entries(ALLOWED))(
    '%s allows %s, and is 405 with Allow for any other method',
    async (path, allow) => {
      const headers = await authorized('administrator')
      for (const method of METHODS) {
        const site = ['GET', 'HEAD'].includes(method) ? mill.query : mill.publish
        const answer = await fetch(site + path, { method, headers })
        if (allow.split(', ').includes(method)) {
          expect(answer.status, method).not.toBe(405)
          await answer.body?.cancel()
          continue
        }
        expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, allow])
        if (method !== 'HEAD') await expectProblem(answer, 405)
      }
    },
  )
})
