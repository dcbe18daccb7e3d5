import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './mill.ts'

/** A local port that forwards connections to a server while it is open, and refuses them while it is closed. */
export interface Door {
  port: number
  open(): Promise<void>
  close(): void
}

/** A door to this port, closed at first. */
export async function doorTo(port: number, host = '127.0.0.1'): Promise<Door> {
  const own = await freePort()
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const behind = connect(port, host)
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  return {
    port: own,
    async open() {
      server.listen(own, '127.0.0.1')
      await once(server, 'listening')
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
