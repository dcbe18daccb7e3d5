import type { IncomingMessage } from 'node:http'

const EMPTY = Buffer.alloc(0)

export class TooLarge extends Error {
  override name = 'TooLarge'
  /** The beginning of the body. */
  readonly head: Buffer

  constructor(limit: number, head: Buffer) {
    super(`The body is larger than ${limit} bytes.`)
    this.head = head
  }
}

/** The whole body, or `TooLarge` as soon as that is known; memory never holds more than `limit`. */
export function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  const { headers } = req
  const declared = headers['content-length']
  if (declared === undefined && headers['transfer-encoding'] === undefined) return Promise.resolve(EMPTY)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size <= limit) return
      req.off('data', onData)
      reject(new TooLarge(limit, Buffer.concat(chunks)))
    }
    req.on('data', onData)
    req.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
    req.once('error', reject)
    req.once('close', () => reject(new Error('the client went away before the end of its body')))
  })
}
