import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import forum from '#domains/forum/domain.ts'
import logs from '#domains/logs/domain.ts'
import sums from '#domains/sums/domain.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { banner } from './banner.ts'
import { sampleRequest } from './sample-request.ts'

const options = { port: 9000, grpcPort: 9001, log: 'embedded', store: 'embedded', dir: '.millrace', hasIssuer: true }
const open = ['tutorials:write', 'sums:write']

test.each([forum, sums, tutorials])('the sample request of $name fits the schema of its command', (domain) => {
  const request = sampleRequest(domain, new Set(open))
  const commands = Object.values(domain.commands)
  const command = commands.find(({ routes }) => routes.some(({ path }) => path === request?.path))
  expect(command?.data.safeParse(request?.body).error).toBeUndefined()
})

test('the banner names the address, a token on another port, and each domain, with the person who may send its command', () => {
  const text = stripVTControlCharacters(
    banner({ ...options, domains: [forum, logs, tutorials], anonymousScopes: open }),
  )
  expect(text).toContain('Millrace is ready at http://localhost:9000 (log: embedded, store: embedded).\n')
  expect(text).toContain('export TOKEN=$(make -s token USER=member SITE=http://localhost:9000)\n')
  expect(text).toMatch(/forum .*USER=member.*-d '\{"title":"title"/)
  expect(text).toMatch(/tutorials +curl -i localhost:9000\/api\/tutorials .* -d '\{"title":"title"\}'/)
  expect(text).toMatch(/\n {2}logs /)
})

test('without an issuer of its own there is no log-in', () => {
  expect(banner({ ...options, hasIssuer: false, domains: [sums], anonymousScopes: open })).not.toMatch(
    /oidc|make -s token/,
  )
})
