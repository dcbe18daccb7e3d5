import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js'
import type { Metrics } from '#core/telemetry.ts'

/** The beginnings of the details with which grpc-js reports unreadable requests as INTERNAL. */
const UNREADABLE = ['Failed to decompress message', 'Error deserializing request', 'Invalid grpc-timeout value']

const isUnreadable = ({ code, details }: { code?: status | null; details?: string | null }): boolean =>
  code === status.INTERNAL && UNREADABLE.some((beginning) => details?.startsWith(beginning))

export interface CallObserver {
  interceptor: ServerInterceptor
  /** Ends every stream, because a health watch does not end by itself. */
  endStreams(): void
}

/** Counts every call of a server by method and code, and tracks the open streams. */
export function observeCalls(isOurs: (path: string) => boolean, metrics: Pick<Metrics, 'requestDone'>): CallObserver {
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
    // Only the lowest call learns that a message is too large or that a deadline has passed.
    const send = next.sendStatus.bind(next)
    next.sendStatus = (sent) => {
      const code = isUnreadable(sent) ? status.INVALID_ARGUMENT : sent.code
      done(code ?? status.UNKNOWN)
      send({ ...sent, code })
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
