import type { IncomingMessage } from 'node:http'
import { Problem } from '#core/problem.ts'
import { hasBody } from './body.ts'

/** Throws 400 and 417 for a request that is wrong whatever its body contains. */
export function checkRequest({ headers, httpVersion, rawHeaders }: IncomingMessage): void {
  if (headers.host === undefined && httpVersion === '1.1') {
    throw new Problem(400, 'Bad request', 'The Host header is missing.')
  }
  if (countHosts(rawHeaders) > 1) throw new Problem(400, 'Bad request', 'There is more than one Host header.')
  const { expect } = headers
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new Problem(417, 'Expectation failed', 'The only supported expectation is 100-continue.')
  }
}

/** Throws 415 for a compressed or otherwise encoded body. */
export function checkEncoding({ headers }: IncomingMessage): void {
  const { 'content-encoding': encoding = 'identity' } = headers
  if (encoding.trim().toLowerCase() === 'identity' || !hasBody(headers)) return
  throw new Problem(
    415,
    'Unsupported media type',
    `The content encoding ${encoding} is not supported. Send the body unencoded.`,
    {
      headers: { 'accept-encoding': 'identity' },
    },
  )
}

/** The number of Host headers. Node keeps only the first one in `headers`. */
function countHosts(rawHeaders: string[]): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count
}
