import { once } from 'node:events'
import { connect } from 'node:net'

/** A raw connection, for requests that no HTTP client would send. */
export interface RawSocket {
  send(text: string): void
  /** Resolves with everything received once it contains `text`. Rejects if the other side closes before. */
  until(text: string): Promise<string>
  /** Resolves with everything received once the other side has closed. Rejects if it resets the connection. */
  closed(): Promise<string>
  /** Resolves once everything is sent. */
  sent(): Promise<void>
  /** Stops reading until `resume`. */
  pause(): void
  resume(): void
  /** Closes the connection without a message. */
  leave(): void
}

export async function rawSocket(port: number): Promise<RawSocket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false })
  await once(socket, 'connect')
  let received = ''
  let failure: Error | undefined
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
  socket.on('error', (error) => (failure = error))
  return {
    send: (text) => void socket.write(text),
    async until(text) {
      while (!received.includes(text)) {
        if (socket.destroyed) throw new Error(`closed before ${text}: ${received}`, { cause: failure })
        await Promise.race([once(socket, 'data'), ended])
      }
      return received
    },
    async closed() {
      await ended
      if (failure) throw new Error(`reset after: ${received}`, { cause: failure })
      return received
    },
    async sent() {
      if (socket.writableLength > 0) await once(socket, 'drain')
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    leave: () => void socket.resetAndDestroy(),
  }
}
