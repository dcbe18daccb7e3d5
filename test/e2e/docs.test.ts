import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { discard, type Mill, startMill } from '../mill.ts'

describe.each(inject('servings'))('on the %s', (serving) => {
  let mill: Mill
  beforeAll(async () => {
    mill = await startMill({ pair: inject('pair'), serving })
  }, 60_000)
  afterAll(async () => {
    await mill?.stop()
    if (mill) discard(mill)
  })

  test('the API page loads all its files from this site, and its policy allows nothing else', async () => {
    const answer = await fetch(`${mill.query}/docs`)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self';")
    const page = await answer.text()
    const links = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link)
    expect(links.filter((link) => !link.startsWith('/docs/'))).toEqual(['data:,'])
    for (const link of links.filter((link) => link.startsWith('/'))) {
      const file = await fetch(mill.query + link)
      expect(file.status, link).toBe(200)
      expect(file.headers.get('content-type')).toBe(
        `text/${link.endsWith('.css') ? 'css' : 'javascript'}; charset=utf-8`,
      )
      expect((await file.text()).length, link).toBeGreaterThan(100)
    }
  })

  test.each([
    ['/openapi.json', 'openapi', '3.1.1'],
    ['/asyncapi.json', 'asyncapi', '3.0.0'],
  ])('query serves %s', async (path, name, version) => {
    expect(await (await fetch(mill.query + path)).json()).toMatchObject({
      [name]: version,
      info: { title: 'Millrace' },
    })
  })
})
