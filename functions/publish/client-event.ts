import { toDelivery } from '#core/cloudevent.ts'
import { MALFORMED } from '#core/delivery.ts'
import { Problem } from '#core/problem.ts'
import type { KnownType } from '#core/registry.ts'
import type { Request } from '#core/request.ts'
import { traceOf } from '#core/trace.ts'
import type { Fields } from '#domains/domain.ts'
import { parseJson } from './parse-json.ts'
import { assertSize, utf8, validate } from './parse-request.ts'
import type { Submission } from './submit.ts'

interface Asked {
  known: KnownType
  read(): Fields
  submission: Submission
}

/**
 * The command that a client's own CloudEvent asks for, in binary or structured mode: its type, its data, its trace, and
 * its source and id as the idempotency key. All else is publish's to say. Throws 400, 413 and 422.
 */
export function readCloudEvent(request: Request, types: Map<string, KnownType>): Asked {
  assertSize(request.body.length)
  const event = toDelivery(request.headers, request.body, (body) => parseJson(utf8(body)))
  if (event.type === MALFORMED) throw new Problem(400, 'Malformed event', `This is ${event.reason}.`)
  const known = types.get(event.type)
  if (!known) throw new Problem(422, 'Unknown command', `There is no command of type ${event.type}.`)
  const read = () => validate(known.command, Buffer.isBuffer(event.data) ? null : (event.data ?? null))
  const trace = event.traceparent === undefined ? request.trace : traceOf({ traceparent: event.traceparent })
  const { headers, arrived, signal, from } = request
  return { known, read, submission: { headers, arrived, signal, trace, from, key: [event.source, event.id] } }
}
