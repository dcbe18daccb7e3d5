import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { publishTutorial, readTitle, untilApplied } from './smoke-commands.ts'

/** A site that answers what the test puts in line; the last answer stays. */
let answers: ((response: ServerResponse) => void)[]
let keys: unknown[]
let server: Server
let site: { SITE: string; LIMIT: number }
beforeAll(async () => {
  server = createServer(({ headers }, response) => {
    keys.push(headers['idempotency-key'])
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    answer?.(response)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  site = { SITE: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, LIMIT: 1 }
})
beforeEach(() => {
  keys = []
})
afterAll(() => void server.close())

const says =
  (status: number, body: object, headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end(JSON.stringify(body))
const command = { id: '1', receipt: '/api/receipts/1' }
const accepted = says(202, command, { location: command.receipt })

test('a command is repeated with its key while the site is unavailable', async () => {
  answers = [says(503, {}), (response) => void response.destroy(), accepted]
  expect(await publishTutorial(site, 'title')).toEqual(command)
  expect(keys).toHaveLength(3)
  expect(new Set(keys).size).toBe(1)
})

test.each([
  ['a 200', says(200, command, { location: command.receipt })],
  ['a refusal', says(422, { title: 'Unprocessable' })],
  ['a Location that leads elsewhere', says(202, command, { location: '/api/receipts/2' })],
  ['no end of outages', says(503, {})],
])('%s is no acceptance', async (_, answer) => {
  answers = [answer]
  await expect(publishTutorial(site, 'title')).rejects.toThrow(site.SITE)
})

test('waits until the receipt is not pending', async () => {
  answers = [says(200, { status: 'pending' }), says(503, {}), says(200, { status: 'applied' })]
  await untilApplied(site, command)
  answers = [says(200, { status: 'rejected' })]
  await expect(untilApplied(site, command)).rejects.toThrow('says rejected')
  answers = [says(200, { status: 'pending' })]
  await expect(untilApplied(site, command)).rejects.toThrow('is pending')
})

test('a missing tutorial is an error', async () => {
  answers = [says(404, {})]
  await expect(readTitle(site, command)).rejects.toThrow('404')
})
