import { type Sending, send } from './send.ts'

/** Where a command or a query is, as the site's own description says. */
export interface Place {
  method: string
  path: string
  /** Which kind of query it is; none for a command. */
  answers: string | undefined
  hasBody: boolean
}

interface Operation {
  operationId?: string
  'x-answers'?: string
  requestBody?: object
}

const WITHIN_MS = 10_000

/** Reads the description once, when it is first needed; after a failure, again. */
export function places(sending: Sending, site: string): () => Promise<Map<string, Place>> {
  let known: Promise<Map<string, Place>> | undefined
  return () => {
    known ??= read(sending, site)
    known.catch(() => (known = undefined))
    return known
  }
}

async function read(sending: Sending, site: string): Promise<Map<string, Place>> {
  const url = `${site}/openapi.json`
  const { text } = await send(sending, { url, method: 'GET', headers: {}, signal: undefined, withinMs: WITHIN_MS })
  const { paths } = JSON.parse(text) as { paths: { [path: string]: { [method: string]: Operation } } }
  const found = new Map<string, Place>()
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { operationId, 'x-answers': answers, requestBody }] of Object.entries(methods)) {
      if (operationId === undefined) continue
      found.set(operationId, { method: method.toUpperCase(), path, answers, hasBody: requestBody !== undefined })
    }
  }
  return found
}

/** What URLs take out of a path, encoded or not: the request would go to another place. */
const NO_SEGMENT = /^\.{0,2}$/

/** The path with its `{name}`s filled in, and what is left of the data. */
export function fill(
  path: string,
  data: { [name: string]: unknown },
): { path: string; rest: { [name: string]: unknown } } {
  const rest = { ...data }
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (data[name] === undefined) throw new TypeError(`${path} needs ${name}`)
    const value = String(data[name])
    if (NO_SEGMENT.test(value)) throw new TypeError(`${path} can not have "${value}" as ${name}`)
    delete rest[name]
    return encodeURIComponent(value)
  })
  return { path: filled, rest }
}
