import type { IncomingHttpHeaders } from 'node:http'
import type { handleUnaryCall, Metadata, ServerUnaryCall } from '@grpc/grpc-js'
import type { Fields } from '#domains/domain.ts'
import { asProblem, type Request } from '../host/http.ts'
import { type Trace, traceOf } from '../telemetry/trace.ts'
import { statusOf, trailers } from './status.ts'

/** What a method sees of a call; metadata are headers, as they are on the wire. */
export interface UnaryCall extends Pick<Request, 'headers' | 'trace' | 'arrived' | 'signal'> {
  /** Every field is there, with its default. */
  message: Fields
}

export interface Method {
  /** As in the path of a request: `SumService/AddNumbers`. */
  name: string
  serve(call: UnaryCall): Promise<Fields>
}

/** What a method throws becomes a status; of a bug a client gets to know the trace only. */
export const unary =
  (serve: Method['serve']): handleUnaryCall<Fields, Fields> =>
  (call, answer) => {
    const headers = headersOf(call.metadata)
    const trace = traceOf(headers)
    void serve(new Incoming(call, headers, trace)).then(
      (message) => answer(null, message, trailers(trace)),
      (error) => answer(statusOf(asProblem(error, trace), trace)),
    )
  }

class Incoming implements UnaryCall {
  readonly message: Fields
  readonly headers: IncomingHttpHeaders
  readonly trace: Trace
  readonly arrived = Date.now()
  readonly #call: ServerUnaryCall<Fields, Fields>

  constructor(call: ServerUnaryCall<Fields, Fields>, headers: IncomingHttpHeaders, trace: Trace) {
    this.message = call.request
    this.headers = headers
    this.trace = trace
    this.#call = call
  }

  get signal(): AbortSignal {
    const gone = new AbortController()
    if (this.#call.cancelled) gone.abort()
    this.#call.once('cancelled', () => gone.abort())
    return gone.signal
  }
}

const headersOf = (metadata: Metadata): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(metadata.getMap()).map(([name, value]) => [name, String(value)]))
