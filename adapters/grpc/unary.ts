import type { IncomingHttpHeaders } from 'node:http'
import type { handleUnaryCall, Metadata, ServerUnaryCall } from '@grpc/grpc-js'
import type { Type } from 'protobufjs'
import type { GrpcMethod, UnaryCall } from '#core/grpc-method.ts'
import { Problem } from '#core/problem.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { toProblem } from '#core/to-problem.ts'
import { type Trace, traceOf } from '#core/trace.ts'
import type { Fields } from '#domains/domain.ts'
import { forwardingChain } from '../host/http.ts'
import { messageReader } from './message.ts'
import { statusOf, trailers } from './status.ts'
import { MalformedMessage } from './wire.ts'

/** A message, or the reason why it is none. */
type MessageOrProblem = Fields | Problem

/** Reads messages of a type without throwing: what a deserializer throws grpc-js reports as a bug. */
export function messageDeserializer(type: Type): (bytes: Buffer) => MessageOrProblem {
  const read = messageReader(type)
  return (bytes) => {
    try {
      return read(bytes)
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      return new Problem(400, 'Malformed message', `This is no ${type.name}: ${error.message}.`, { cause: error })
    }
  }
}

/** What a method throws becomes a status; of a bug a client gets to know the trace only. */
export const unary =
  (serve: GrpcMethod['serve'], telemetry: Telemetry): handleUnaryCall<MessageOrProblem, Fields> =>
  (call, answer) => {
    const headers = headersOf(call.metadata)
    const trace = traceOf(headers)
    void serve(new GrpcCall(call, headers, trace)).then(
      (message) => answer(null, message, trailers(trace)),
      (error) => answer(statusOf(toProblem(error, trace, telemetry), trace)),
    )
  }

class GrpcCall implements UnaryCall {
  readonly headers: IncomingHttpHeaders
  readonly trace: Trace
  readonly arrived = Date.now()
  readonly #call: ServerUnaryCall<MessageOrProblem, Fields>

  constructor(call: ServerUnaryCall<MessageOrProblem, Fields>, headers: IncomingHttpHeaders, trace: Trace) {
    this.headers = headers
    this.trace = trace
    this.#call = call
  }

  get message(): Fields {
    const { request } = this.#call
    if (request instanceof Problem) throw request
    return request
  }

  /** The peer is an address and a port, which is another one for each connection. */
  get from(): string | undefined {
    return forwardingChain(this.headers, this.#call.getPeer().replace(/:\d+$/, ''))
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
