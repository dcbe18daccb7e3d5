import { Metadata, type StatusObject, status } from '@grpc/grpc-js'
import type { Problem } from '#core/problem.ts'
import type { Trace } from '#core/request.ts'

/** The codes by HTTP status. gRPC uses ABORTED for a failed test-and-set, and FAILED_PRECONDITION for a rule's rejection. */
const CODES = new Map([
  [400, status.INVALID_ARGUMENT],
  [401, status.UNAUTHENTICATED],
  [403, status.PERMISSION_DENIED],
  [404, status.NOT_FOUND],
  [409, status.FAILED_PRECONDITION],
  [410, status.NOT_FOUND],
  [412, status.ABORTED],
  [413, status.RESOURCE_EXHAUSTED],
  [422, status.INVALID_ARGUMENT],
  [429, status.RESOURCE_EXHAUSTED],
  [503, status.UNAVAILABLE],
])

/** A problem as a gRPC status: its detail is the message, and the members that a client needs are trailers. */
export function statusOf({ status: of, message, headers, members }: Problem, trace: Trace): StatusObject {
  const metadata = trailers(trace)
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  const { idempotencyKey: key, receipt, unknown } = members
  // A key in the message needs no trailer, because the client has it.
  if (typeof key === 'string' && /^[\x20-\x7e]+$/.test(key)) metadata.set('idempotency-key', key)
  if (unknown !== undefined) metadata.set('unknown', String(unknown))
  // A retry policy would repeat the call without a key, as another command. Only the receipt address identifies the first one.
  if (unknown && String(receipt).endsWith(`/${key}`)) metadata.set('grpc-retry-pushback-ms', '-1')
  return { code: codeOf(of, members), details: message, metadata }
}

function codeOf(of: number, { outOfRange, reusedKey }: Problem['members']): status {
  if (outOfRange) return status.OUT_OF_RANGE
  if (reusedKey) return status.ALREADY_EXISTS
  return CODES.get(of) ?? status.INTERNAL
}

/** The trailers of every response. */
export function trailers({ traceparent }: Trace): Metadata {
  const metadata = new Metadata()
  metadata.set('traceparent', traceparent)
  return metadata
}
