import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

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
