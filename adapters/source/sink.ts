import { type Event, MALFORMED } from '../event.ts'
import { eventOf } from '../host/cloudevent.ts'
import { type HttpFunction, httpFunction, Problem } from '../host/http.ts'
import type { Log, NewRecord } from '../log/log.ts'

/** Stands in for a KafkaSink: appends the events that are posted to it to a topic, and answers 202. */
export function kafkaSink(log: Pick<Log, 'append'>, topic: string): HttpFunction {
  return httpFunction(async ({ headers, body }) => {
    const event = eventOf(headers, body)
    if (event.type === MALFORMED) throw new Problem(400, 'Not a CloudEvent', String(event.reason))
    await log.append(topic, recordOf(event))
    return { status: 202 }
  })
}

function recordOf({ data, datacontenttype, ...attributes }: Event): NewRecord {
  const named = Object.entries(attributes).map(([name, value]) => [`ce_${name}`, String(value)])
  const isRaw = data === undefined || typeof data === 'string' || Buffer.isBuffer(data)
  return {
    key: typeof attributes.partitionkey === 'string' ? attributes.partitionkey : null,
    value: isRaw ? ((data as string | Buffer | undefined) ?? null) : JSON.stringify(data),
    headers: { ...Object.fromEntries(named), ...(datacontenttype ? { 'content-type': datacontenttype } : {}) },
  }
}
