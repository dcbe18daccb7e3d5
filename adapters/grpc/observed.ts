import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js'
import type { Metrics } from '#core/telemetry.ts'

/** The beginnings of what grpc-js says of requests that it can't read, as if that were a bug of the server. */
const UNREADABLE = ['Failed to decompress message', 'Error deserializing request', 'Invalid grpc-timeout value']

const isRefusal = ({ code, details }: { code?: status | null; details?: string | null }): boolean =>
  code === status.INTERNAL && UNREADABLE.some((beginning) => details?.startsWith(beginning))

export interface Observed {
  interceptor: ServerInterceptor
  /** Ends every stream: one that is watched has no end of its own. */
  endStreams(): void
}

/** Sees each call that a server takes, counts it by method and code, and knows the streams that are open. */
export function observed(isOurs: (path: string) => boolean, metrics: Pick<Metrics, 'requestDone'>): Observed {
  const streams = new Set<ServerInterceptingCallInterface>()

  const interceptor: ServerInterceptor = ({ path, requestStream, responseStream }, next) => {
    const started = performance.now()
    let isDone = false
    function done(code: status): void {
      if (isDone) return
      isDone = true
      streams.delete(call)
      const name = isOurs(path) ? 'publish' : 'host'
      const labels = { function: name, method: 'gRPC', route: path, status: status[code] ?? '' }
      metrics.requestDone(labels, performance.now() - started)
    }
    const listener = new ServerListenerBuilder().withOnCancel(() => done(status.CANCELLED)).build()
    // Below all interceptors it is told that a message is too large and that a deadline has passed.
    const send = next.sendStatus.bind(next)
    next.sendStatus = (told) => {
      const code = isRefusal(told) ? status.INVALID_ARGUMENT : told.code
      done(code ?? status.UNKNOWN)
      send({ ...told, code })
    }
    const call = new ServerInterceptingCall(next, { start: (begin) => begin(listener) })
    if (requestStream || responseStream) streams.add(call)
    return call
  }

  return {
    interceptor,
    endStreams() {
      for (const call of streams) call.sendStatus({ code: status.UNAVAILABLE, details: 'The server is stopping.' })
    },
  }
}
