export interface Attributes {
  specversion: string
  id: string
  source: string
  type: string
  [extension: string]: string
}

/** A CloudEvent in binary mode, over any protocol. The attributes have their bare names, and the data is not parsed. */
export interface BinaryEvent {
  attributes: Attributes
  contentType: string | undefined
  data: Buffer | string | null
}

const REQUIRED = ['id', 'source', 'type']
const VERSION = /^(1\.0|0\.3)$/
const NAME = /^[a-z0-9]+$/

/** True when the attributes are those of a CloudEvent. */
export function isCloudEvent(attributes: Record<string, string>): attributes is Attributes {
  if (!VERSION.test(attributes.specversion ?? '')) return false
  for (const name in attributes) if (!NAME.test(name)) return false
  return REQUIRED.every((name) => attributes[name])
}

export const isStructured = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/cloudevents\+json(?:$|[\s;])/i.test(contentType)

/** The event in a structured JSON document, or undefined if there is none. */
export function parseStructured(json: Buffer): BinaryEvent | undefined {
  const event = parsed(json)
  if (event === null || typeof event !== 'object' || Array.isArray(event)) return undefined
  const { data, data_base64, datacontenttype, ...rest } = event as Record<string, unknown>
  const given = Object.entries(rest).filter(([, value]) => value !== null)
  if (given.some(([, value]) => typeof value === 'object')) return undefined
  const attributes = Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
  if (!isCloudEvent(attributes)) return undefined
  const type = typeof datacontenttype === 'string' ? datacontenttype : undefined
  if (typeof data_base64 === 'string') {
    return { attributes, contentType: type, data: Buffer.from(data_base64, 'base64') }
  }
  if (data === undefined || data === null) return { attributes, contentType: type, data: null }
  const contentType = type ?? 'application/json'
  const isText = typeof data === 'string' && !/^[^;]*json/i.test(contentType)
  return { attributes, contentType, data: isText ? data : JSON.stringify(data) }
}

function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'))
  } catch {
    return undefined
  }
}
