import { Kafka } from 'cloudevents'
import { type HttpFunction, httpFunction } from '#adapters/host/http.ts'
import type { Log, NewRecord } from '#core/log.ts'
import { Problem } from '#core/problem.ts'
import type { Headers } from '#core/request.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { type BinaryEvent, isCloudEvent, isStructured, parseStructured } from './record-to-request.ts'

/**
 * Stands in for a KafkaSink: appends the events that it receives to a topic and answers 202. It does not parse the data, so
 * that a letter with broken data stays a letter.
 */
export function kafkaSink(log: Pick<Log, 'append'>, topic: string, telemetry: Telemetry): HttpFunction {
  return httpFunction(async ({ method, headers, body }) => {
    if (method !== 'POST')
      throw new Problem(405, 'Method not allowed', 'Send events with POST.', { headers: { allow: 'POST' } })
    const event = eventIn(headers, body)
    if (!event)
      throw new Problem(400, 'Not a CloudEvent', 'The request contains no CloudEvent in binary or structured mode.')
    await log.append(topic, toRecord(event))
    return { status: 202 }
  }, telemetry)
}

function eventIn(headers: Headers, body: Buffer): BinaryEvent | undefined {
  const contentType = headers['content-type']
  if (isStructured(contentType)) return parseStructured(body)
  const attributes: Record<string, string> = {}
  for (const name in headers) if (name.startsWith('ce-')) attributes[name.slice(3)] = String(headers[name])
  return isCloudEvent(attributes) ? { attributes, contentType, data: body.length > 0 ? body : null } : undefined
}

function toRecord({ attributes, contentType, data }: BinaryEvent): NewRecord {
  const { key, headers } = Kafka.binary({ ...attributes, data })
  const { 'content-type': _, ...attributeHeaders } = headers as Record<string, string>
  return {
    key: key ?? null,
    value: data,
    headers: contentType ? { 'content-type': contentType, ...attributeHeaders } : attributeHeaders,
  }
}
