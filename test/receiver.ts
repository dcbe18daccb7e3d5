import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface Received {
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface Reply {
  status: number
  headers?: Record<string, string>
  body?: string
}

export interface Receiver {
  url: string
  received: Received[]
  /** The number of requests without a response. */
  waiting(): number
  close(): void
}

/** A server that records its requests and responds as the test says. */
export async function receiver(
  reply: (received: Received, index: number) => Reply | Promise<Reply>,
  port = 0,
): Promise<Receiver> {
  const received: Received[] = []
  let waiting = 0
  const server = createServer(async (req, res) => {
    const request = { headers: req.headers, body: await buffer(req) }
    const index = received.push(request) - 1
    waiting++
    const { status, headers, body } = await reply(request, index)
    waiting--
    res.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    received,
    waiting: () => waiting,
    close: () => server.close().closeAllConnections(),
  }
}
