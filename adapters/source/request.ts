import type { LogRecord } from '../log/log.ts'

export interface Origin {
  namespace: string
  name: string
  topic: string
}

/** What is posted for a record; null for one that can't be posted at all. */
export interface Posting {
  headers: Record<string, string>
  body: Buffer | string | null
}

const REQUIRED = ['ce_specversion', 'ce_id', 'ce_source', 'ce_type']

/** As KafkaSource does it: an event in binary mode whatever it was before; what is no event is wrapped into one. */
export function postingOf(record: LogRecord, origin: Origin): Posting | null {
  const headers = new Map(record.headers.map(([name, value]) => [name.toLowerCase(), value.toString('utf8')]))
  const posting = unpacked(headers, record.value) ?? binary(headers, record.value) ?? wrapped(record, headers, origin)
  if (!posting) return null
  const all: Record<string, string> = {
    ...posting.headers,
    'ce-knativekafkapartition': String(record.partition),
    'ce-knativekafkaoffset': String(record.offset),
    prefer: 'reply',
    'kn-namespace': origin.namespace,
  }
  for (const name in all) {
    const value = all[name] as string
    if (hasControl(value)) return null
    all[name] = value.replaceAll(/[^\x20-\x7e]/gu, encodeURIComponent)
  }
  return { headers: all, body: posting.body }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const hasControl = (value: string): boolean => /[\x00-\x1f\x7f]/.test(value)

function binary(headers: Map<string, string>, value: Buffer | null): Posting | undefined {
  if (!REQUIRED.every((name) => headers.get(name))) return undefined
  const attributes = [...headers].filter(([name]) => name.startsWith('ce_'))
  const type = headers.get('content-type')
  return {
    headers: {
      ...Object.fromEntries(attributes.map(([name, text]) => [`ce-${name.slice(3)}`, text])),
      ...(type ? { 'content-type': type } : {}),
    },
    body: value,
  }
}

/** A record in structured mode, taken apart. One that only says it is one is wrapped like any other record. */
function unpacked(headers: Map<string, string>, value: Buffer | null): Posting | undefined {
  if (!headers.get('content-type')?.startsWith('application/cloudevents+json') || !value) return undefined
  let event: Record<string, unknown>
  try {
    event = JSON.parse(value.toString('utf8'))
  } catch {
    return undefined
  }
  const { data, data_base64, datacontenttype, ...attributes } = event ?? {}
  const body = typeof data_base64 === 'string' ? Buffer.from(data_base64, 'base64') : bodyOf(data, datacontenttype)
  const named = Object.entries(attributes).map(([name, attribute]) => [`ce_${name}`, String(attribute)] as const)
  const type =
    typeof datacontenttype === 'string' ? datacontenttype : data === undefined ? undefined : 'application/json'
  const posting = binary(new Map([...named, ...(type ? [['content-type', type] as const] : [])]), null)
  return posting && { ...posting, body }
}

function bodyOf(data: unknown, type: unknown): string | null {
  if (data === undefined) return null
  return typeof data === 'string' && typeof type === 'string' && !type.includes('json') ? data : JSON.stringify(data)
}

function wrapped(record: LogRecord, headers: Map<string, string>, { namespace, name, topic }: Origin): Posting | null {
  const { partition, offset, time, value } = record
  const key = record.key === null ? undefined : utf8(record.key)
  if (key === null) return null
  const type = headers.get('content-type')
  const extensions = [...headers]
    .filter(([header]) => header !== 'content-type')
    .map(([header, text]) => [`ce-kafkaheader${header.replaceAll(/[^a-z0-9]/g, '')}`, text])
  return {
    headers: {
      'ce-specversion': '1.0',
      'ce-id': `partition:${partition}/offset:${offset}`,
      'ce-type': 'dev.knative.kafka.event',
      'ce-source': `/apis/v1/namespaces/${namespace}/kafkasources/${name}#${topic}`,
      'ce-subject': `partition:${partition}#${offset}`,
      'ce-time': new Date(time).toISOString(),
      ...(key === undefined ? {} : { 'ce-key': key, 'ce-partitionkey': key }),
      ...Object.fromEntries(extensions),
      ...(type ? { 'content-type': type } : {}),
    },
    body: value,
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function utf8(bytes: Buffer): string | null {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}
