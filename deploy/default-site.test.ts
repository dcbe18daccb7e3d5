import { expect, test } from 'vitest'
import { freePort } from '#test/mill.ts'
import { DEFAULT_SITE, requestFailure, tokenCommand } from './default-site.ts'

test('a command for a token names the site unless every program asks it', () => {
  expect(tokenCommand('member', DEFAULT_SITE)).toBe('$(make -s token USER=member)')
  expect(tokenCommand('member', 'http://localhost:9000')).toBe(
    '$(make -s token USER=member SITE=http://localhost:9000)',
  )
})

test.each(['127.0.0.1', 'localhost'])('a request to %s, where nothing listens, fails with what to do', async (name) => {
  const site = `http://${name}:${await freePort()}`
  const error = await fetch(site).catch((error) => error)
  expect(requestFailure(error, site)).toBe(
    `Nothing answers at ${site}. Start make dev, or name another site with SITE=.`,
  )
})

test('another failure keeps its text and its cause', () => {
  expect(requestFailure(new Error('404 Not found'), DEFAULT_SITE)).toBe('404 Not found')
  const cause = new Error('getaddrinfo ENOTFOUND nowhere')
  expect(requestFailure(new TypeError('fetch failed', { cause }), DEFAULT_SITE)).toBe(
    'fetch failed: getaddrinfo ENOTFOUND nowhere',
  )
})
