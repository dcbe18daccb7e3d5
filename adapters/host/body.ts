import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

const EMPTY = Buffer.alloc(0)

export class BodyTooLarge extends Error {
  override name = 'BodyTooLarge'
  /** The beginning of the body. */
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

/** Whether nothing of this request is still to come. */
export const isReceived = (req: IncomingMessage): boolean => req.complete || !hasBody(req.headers)

/**
 * The whole body; `BodyTooLarge`, with its first `keep` bytes, as soon as it is known to exceed `limit`: at once when it says
 * so itself. Memory never holds more than `limit` and one chunk. `ClientGone` when the client is, before the end.
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
      if (!req.complete) reject(new ClientGone('the client went away before the end of its body'))
    })
  })
}
