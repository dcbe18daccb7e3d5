import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Problem } from '#core/problem.ts'

const EMPTY = Buffer.alloc(0)

export class BodyTooLarge extends Error {
  override name = 'BodyTooLarge'
  readonly head: Buffer

  constructor(limit: number, head: Buffer) {
    super(`The body is larger than ${limit} bytes.`)
    this.head = head
  }
}

export class ClientGone extends Error {
  override name = 'ClientGone'
}

export const hasBody = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'

/** True when the whole request has arrived. */
export const isReceived = (req: IncomingMessage): boolean => req.complete || !hasBody(req.headers)

/**
 * The whole body. Throws `BodyTooLarge` with the first `keep` bytes as soon as the body is known to exceed `limit`, which may be before it
 * arrives. Memory never holds more than `limit` and one chunk. Throws `ClientGone` when the client disconnects before the end.
 */
export function readBody(req: IncomingMessage, limit: number, keep = 0): Promise<Buffer> | Buffer {
  if (!hasBody(req.headers)) return EMPTY
  const isDeclaredTooLarge = Number(req.headers['content-length']) > limit
  if (isDeclaredTooLarge && keep === 0) throw new BodyTooLarge(limit, EMPTY)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size <= limit && !(isDeclaredTooLarge && size >= keep)) return
      req.off('data', onData)
      reject(new BodyTooLarge(limit, Buffer.from(Buffer.concat(chunks).subarray(0, keep))))
    }
    req.on('data', onData)
    req.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size)))
    req.on('close', () => {
      if (!req.complete) reject(new ClientGone('the client disconnected before the end of its body'))
    })
  })
}

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
