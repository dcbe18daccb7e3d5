import type { IncomingHttpHeaders } from 'node:http'
import type { handleUnaryCall, Metadata, ServerUnaryCall } from '@grpc/grpc-js'
import type { Type } from 'protobufjs'
import type { GrpcMethod, UnaryCall } from '#core/grpc-method.ts'
import { Problem } from '#core/problem.ts'
import { abortedBy, type ServedBy, type Trace, traceOf } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { toProblem } from '#core/to-problem.ts'
import type { Fields } from '#domains/domain.ts'
import { forwardingChain } from '../host/http.ts'
import { messageReader } from './message.ts'
import { statusOf, trailers } from './status.ts'
import { MalformedMessage } from './wire.ts'

/** A message, or the problem for bytes that are not a message of the type. */
type MessageOrProblem = Fields | Problem

/** Returns a deserializer that never throws, because grpc-js reports what a deserializer throws as a bug. */
export function messageDeserializer(type: Type): (bytes: Buffer) => MessageOrProblem {
  const read = messageReader(type)
  return (bytes) => {
    try {
      return read(bytes)
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      return new Problem(400, 'Malformed message', `The bytes are not a valid ${type.name}: ${error.message}.`, {
        cause: error,
      })
    }
  }
}

/** Serves a unary method. An error becomes a status, and a bug tells a client nothing but its trace. */
export const unary =
  (serve: GrpcMethod['serve'], telemetry: Telemetry): handleUnaryCall<MessageOrProblem, Fields> =>
  (call, respond) => {
    const headers = headersOf(call.metadata)
    const trace = traceOf(headers)
    const own = new GrpcCall(call, headers, trace)
    void serve(own).then(
      (message) => respond(null, message, trailers(trace)),
      (error) => respond(statusOf(toProblem(error, own, telemetry), trace)),
    )
  }

class GrpcCall implements UnaryCall {
  readonly headers: IncomingHttpHeaders
  readonly trace: Trace
  readonly arrived = Date.now()
  servedBy?: ServedBy
  readonly #call: ServerUnaryCall<MessageOrProblem, Fields>
  #signal: AbortSignal | undefined

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

  /** The peer without its port, which differs for each connection. */
  get from(): string | undefined {
    return forwardingChain(this.headers, this.#call.getPeer().replace(/:\d+$/, ''))
  }

  get signal(): AbortSignal {
    this.#signal ??= abortedBy(this.#call, 'cancelled', this.#call.cancelled)
    return this.#signal
  }
}

const headersOf = (metadata: Metadata): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(metadata.getMap()).map(([name, value]) => [name, String(value)]))
