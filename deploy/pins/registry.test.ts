import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf } from './registry.ts'

const MANIFEST = '{"schemaVersion":2,"manifests":[]}'
const DIGEST = `sha256:${createHash('sha256').update(MANIFEST).digest('hex')}`

let server: Server
let host: string
/** What the registry claims of each repository; only who has asked for a token gets an answer. */
const claims: Record<string, string> = { honest: DIGEST, liar: `sha256:${'0'.repeat(64)}` }

beforeAll(async () => {
  server = createServer(({ url = '', headers }, answer) => {
    const { pathname, searchParams } = new URL(url, 'http://registry')
    if (pathname === '/token') {
      return answer.end(JSON.stringify({ token: `for ${searchParams.get('service')} ${searchParams.get('scope')}` }))
    }
    const [, repository = ''] = /^\/v2\/team\/(\w+)\/manifests\/1\.0$/.exec(pathname) ?? []
    const scope = `repository:team/${repository}:pull`
    if (headers.authorization !== `Bearer for here ${scope}`) {
      const challenge = `Bearer realm="http://${host}/token",service="here",scope="${scope}"`
      return answer.writeHead(401, { 'www-authenticate': challenge }).end()
    }
    const claim = claims[repository]
    if (!claim || !headers.accept?.includes('image.index')) return answer.writeHead(404).end()
    return answer.writeHead(200, { 'docker-content-digest': claim }).end(MANIFEST)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

test('the digest is that of the manifest that the registry serves', async () => {
  expect(await digestOf(`${host}/team/honest`, '1.0')).toBe(DIGEST)
})

test('a registry that claims another digest than that of its manifest is an error', async () => {
  await expect(digestOf(`${host}/team/liar`, '1.0')).rejects.toThrow(`claims to be ${claims.liar}, and is ${DIGEST}`)
})

test('a missing tag and an unreachable registry are errors that name them', async () => {
  await expect(digestOf(`${host}/team/nobody`, '1.0')).rejects.toThrow('/v2/team/nobody/manifests/1.0 answers 404')
  await expect(digestOf('127.0.0.1:1/team/honest', '1.0')).rejects.toThrow("can't reach http://127.0.0.1:1/v2/")
})
