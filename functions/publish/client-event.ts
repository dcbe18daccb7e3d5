import { toDelivery } from '#core/cloudevent.ts'
import { MALFORMED } from '#core/delivery.ts'
import { Problem } from '#core/problem.ts'
import type { KnownType } from '#core/registry.ts'
import { type Request, traceOf } from '#core/request.ts'
import type { Fields } from '#domains/domain.ts'
import { assertSize, decodeUtf8, parseExactly, validate } from './parse-request.ts'
import type { Submission } from './submit.ts'

interface ClientEvent {
  known: KnownType
  /** Validates the event's data. Throws 422. */
  parseData(): Fields
  submission: Submission
}

/**
 * The command in a client's own CloudEvent, in binary or structured mode. It takes the event's type, data and trace, and its source
 * and id as the idempotency key. publish sets all other attributes itself. Throws 400, 413 and 422.
 */
export function parseClientEvent(request: Request, types: Map<string, KnownType>): ClientEvent {
  assertSize(request.body.length)
  const event = toDelivery(request.headers, request.body, (body) => parseExactly(decodeUtf8(body)))
  if (event.type === MALFORMED) throw new Problem(400, 'Malformed event', `The request is ${event.reason}.`)
  const known = types.get(event.type)
  if (!known) throw new Problem(422, 'Unknown command', `There is no command of type ${event.type}.`)
  const parseData = () => validate(known.command, Buffer.isBuffer(event.data) ? null : (event.data ?? null))
  const trace = event.traceparent === undefined ? request.trace : traceOf({ traceparent: event.traceparent })
  const { headers, arrived, signal, from } = request
  return { known, parseData, submission: { headers, arrived, signal, trace, from, key: [event.source, event.id] } }
}
