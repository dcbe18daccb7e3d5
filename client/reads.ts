import type { Connection } from './connection.ts'
import { fillPath, type Operation } from './operations.ts'
import { noResponse } from './problem.ts'
import { type HttpRequest, open, pause, pauseBefore, send } from './send.ts'
import { linesOf } from './stream.ts'
import type { AskOptions, Page } from './types.ts'

export type Params = { [name: string]: unknown }

/** A query with its parameters. */
export interface Read {
  operation: Operation
  params: Params
}

const TIMEOUT_MS = 30_000
const NDJSON = 'application/x-ndjson'

/** The answer to a query. */
export async function ask(connection: Connection, read: Read, { signal }: AskOptions): Promise<unknown> {
  const { text } = await connection.ownWrites.readAfter((receipts) =>
    send(connection.transport, requestOf(connection, read, { receipts, signal, headers: {} })),
  )
  return read.operation.answers === 'total' ? BigInt(text) : JSON.parse(text)
}

/** The items of a list, page by page. */
export async function* each(connection: Connection, { operation, params }: Read, options: AskOptions) {
  for (let cursor: string | null = null; ; ) {
    const read = { operation, params: cursor === null ? params : { ...params, cursor } }
    const page = (await ask(connection, read, options)) as Page<unknown>
    yield* page.items
    cursor = page.next
    if (cursor === null) return
  }
}

/**
 * The items of a list in one stream. After a broken connection it resumes after the last complete line. It gives up after as many
 * attempts in a row without a line as the transport allows.
 */
export async function* lines(connection: Connection, { operation, params }: Read, { signal }: AskOptions) {
  const { transport, ownWrites } = connection
  let cursor: string | undefined
  for (let attempt = 1; ; attempt++) {
    const read = { operation, params: cursor === undefined ? params : { ...params, cursor } }
    const body = await ownWrites.readAfter((receipts) =>
      open(transport, requestOf(connection, read, { receipts, signal, headers: { accept: NDJSON } })),
    )
    try {
      for await (const line of linesOf(body)) {
        const { cursor: position, ...item } = JSON.parse(line) as { cursor: string }
        cursor = position
        attempt = 0
        yield item
      }
      return
    } catch (error) {
      signal?.throwIfAborted()
      if (attempt >= transport.attempts) throw noResponse(error)
    }
    await pause(pauseBefore(attempt), signal)
  }
}

interface RequestParts extends Pick<HttpRequest, 'headers' | 'signal'> {
  /** The receipts of the commands whose effects the answer must include. */
  receipts: string[]
}

/** The request of a query. */
export function requestOf(
  { site }: Connection,
  { operation: { method, path }, params }: Read,
  { receipts, signal, headers }: RequestParts,
): HttpRequest {
  const { path: filled, rest } = fillPath(path, params)
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) query.append(name, String(value))
  for (const receipt of receipts) query.append('after', receipt)
  const url = `${site}${filled}${query.size > 0 ? `?${query}` : ''}`
  return { url, method, headers, signal, timeoutMs: TIMEOUT_MS }
}
