import { send, type Transport } from './send.ts'

/** A command or a query, as the site's OpenAPI description declares it. */
export interface Operation {
  method: string
  path: string
  /** The kind of query; `undefined` for a command. */
  answers: string | undefined
  /** True for a live query that follows a list: its items have a kind. */
  isList: boolean
  hasBody: boolean
}

interface OpenApiOperation {
  operationId?: string
  'x-answers'?: string
  'x-live-list'?: boolean
  requestBody?: object
}

const TIMEOUT_MS = 10_000

/** Reads the site's operations at the first call. Reads them again only if that failed. */
export function operations(transport: Transport, site: string): () => Promise<Map<string, Operation>> {
  let known: Promise<Map<string, Operation>> | undefined
  return () => {
    known ??= readOperations(transport, site)
    known.catch(() => (known = undefined))
    return known
  }
}

async function readOperations(transport: Transport, site: string): Promise<Map<string, Operation>> {
  const url = `${site}/openapi.json`
  const { text } = await send(transport, { url, method: 'GET', headers: {}, signal: undefined, timeoutMs: TIMEOUT_MS })
  const { paths } = JSON.parse(text) as { paths: { [path: string]: { [method: string]: OpenApiOperation } } }
  const found = new Map<string, Operation>()
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const { operationId, 'x-answers': answers, 'x-live-list': isList = false, requestBody } = operation
      if (operationId === undefined) continue
      const hasBody = requestBody !== undefined
      found.set(operationId, { method: method.toUpperCase(), path, answers, isList, hasBody })
    }
  }
  return found
}

/** Segments that URLs remove from a path, encoded or not, so that the request would go to another path. */
const REMOVED_SEGMENT = /^\.{0,2}$/

/** The path with its `{name}`s filled in, and the rest of the data. */
export function fillPath(
  path: string,
  data: { [name: string]: unknown },
): { path: string; rest: { [name: string]: unknown } } {
  const rest = { ...data }
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (data[name] === undefined) throw new TypeError(`${path} needs ${name}`)
    const value = String(data[name])
    if (REMOVED_SEGMENT.test(value)) throw new TypeError(`${path} cannot have "${value}" as ${name}`)
    delete rest[name]
    return encodeURIComponent(value)
  })
  return { path: filled, rest }
}
