import type { IncomingMessage } from 'node:http'
import { Problem } from '#core/problem.ts'
import { hasBody } from './body.ts'

/** Throws for a request that is wrong before its body is looked at: 400, 417. */
export function checkRequest({ headers, httpVersion, rawHeaders }: IncomingMessage): void {
  if (headers.host === undefined && httpVersion === '1.1') {
    throw new Problem(400, 'Bad request', 'A request says which host it is for.')
  }
  if (countHosts(rawHeaders) > 1) throw new Problem(400, 'Bad request', 'A request is for one host.')
  const { expect } = headers
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new Problem(417, 'Expectation failed', 'Nothing can be expected but 100-continue.')
  }
}

/** Throws 415 for a body that is compressed or encoded in another way. */
export function checkEncoding({ headers }: IncomingMessage): void {
  const { 'content-encoding': encoding = 'identity' } = headers
  if (encoding.trim().toLowerCase() === 'identity' || !hasBody(headers)) return
  throw new Problem(415, 'Unsupported media type', `Send the body as it is, not as ${encoding}.`, {
    headers: { 'accept-encoding': 'identity' },
  })
}

/** Node leaves all but the first out of `headers`. */
function countHosts(rawHeaders: string[]): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count
}
