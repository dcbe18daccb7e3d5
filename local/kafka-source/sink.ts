import { Kafka } from 'cloudevents'
import { type HttpFunction, httpFunction } from '#adapters/host/http.ts'
import type { Log, NewRecord } from '#core/log.ts'
import { Problem } from '#core/problem.ts'
import type { Headers } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { isEvent, isStructured, type Message, unpacked } from './message.ts'

/**
 * Stands in for a KafkaSink: appends the events that are posted to it to a topic, and answers 202. The data is not
 * looked into: a letter whose data is broken is still a letter.
 */
export function kafkaSink(log: Pick<Log, 'append'>, topic: string, telemetry: Telemetry): HttpFunction {
  return httpFunction(async ({ method, headers, body }) => {
    if (method !== 'POST')
      throw new Problem(405, 'Method not allowed', 'Events are posted.', { headers: { allow: 'POST' } })
    const message = messageIn(headers, body)
    if (!message)
      throw new Problem(400, 'Not a CloudEvent', 'There is no CloudEvent in binary or structured mode in it.')
    await log.append(topic, recordOf(message))
    return { status: 202 }
  }, telemetry)
}

function messageIn(headers: Headers, body: Buffer): Message | undefined {
  const contentType = headers['content-type']
  if (isStructured(contentType)) return unpacked(body)
  const attributes: Record<string, string> = {}
  for (const name in headers) if (name.startsWith('ce-')) attributes[name.slice(3)] = String(headers[name])
  return isEvent(attributes) ? { attributes, contentType, data: body.length > 0 ? body : null } : undefined
}

function recordOf({ attributes, contentType, data }: Message): NewRecord {
  const { key, headers } = Kafka.binary({ ...attributes, data })
  const { 'content-type': _, ...attributeHeaders } = headers as Record<string, string>
  return {
    key: key ?? null,
    value: data,
    headers: contentType ? { 'content-type': contentType, ...attributeHeaders } : attributeHeaders,
  }
}
