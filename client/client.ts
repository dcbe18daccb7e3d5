import { command } from './commands.ts'
import type { Connection } from './connection.ts'
import { live } from './live.ts'
import { type Operation, operations } from './operations.ts'
import { ownWrites } from './read-your-writes.ts'
import { ask, each, lines, type Params } from './reads.ts'
import type { Transport } from './send.ts'
import type { Client, ClientDomain } from './types.ts'

export interface ClientOptions {
  /** The URL of the site, or of its two functions. The default is the site of the page. */
  url?: string | { publish: string; query: string }
  /** A bearer token, or a function that returns one for each request. */
  token?: Transport['token']
  fetch?: typeof globalThis.fetch
  /** The number of times that a request is sent at most. */
  attempts?: number
}

/**
 * A client of the domains whose types it is given:
 *
 *     const client = createClient<{ sums: typeof sums }>({ url })
 *     const { result } = await client.sums.add({ firstNumber: 2, secondNumber: 3 })
 *     for await (const sum of client.sums.history.each()) ...
 *
 * It contains no code of the domains: it discovers URLs from the site. It retries a command under one key, and its reads
 * include its own writes. All errors of a request are instances of `Problem`.
 */
export function createClient<Domains extends { [name: string]: ClientDomain }>(
  options: ClientOptions = {},
): Client<Domains> {
  const { url = '', token, fetch = (...args) => globalThis.fetch(...args), attempts = 5 } = options
  const { publish, query } = typeof url === 'string' ? { publish: url, query: url } : url
  const shared = { transport: { fetch, token, attempts }, ownWrites: ownWrites() }
  const toPublish: Connection = { ...shared, site: withoutSlash(publish) }
  const toQuery: Connection = { ...shared, site: withoutSlash(query) }
  const known = operations(shared.transport, toQuery.site)

  async function operationOf(names: string[]): Promise<Operation> {
    const name = names.join('.')
    const operation = (await known()).get(name)
    if (operation) return operation
    throw new TypeError(`${toQuery.site || 'this site'} has no command and no query ${name}`)
  }

  async function call(names: string[], data: unknown, options = {}): Promise<unknown> {
    const operation = await operationOf(names)
    if (operation.answers === undefined) return await command(toPublish, operation, data, options)
    return await ask(toQuery, { operation, params: (data ?? {}) as Params }, options)
  }

  async function* items(names: string[], read: typeof each, params: Params = {}, options = {}): AsyncGenerator {
    const operation = await operationOf(names)
    yield* (operation.answers === 'live' ? live : read)(toQuery, { operation, params }, options)
  }

  /** A function for the operation with these names, whose members are functions for longer names. */
  function functionOf(names: string[]): unknown {
    return new Proxy(() => {}, {
      get: (_, name) => (typeof name === 'string' && name !== 'then' ? functionOf([...names, name]) : undefined),
      apply(_, __, [data, options]) {
        const before = names.slice(0, -1)
        switch (names.at(-1)) {
          case 'numbered':
            return call(before, { page: 0, ...(data as object) }, options)
          case 'each':
            return items(before, each, data, options)
          case 'lines':
            return items(before, lines, data, options)
          default:
            return call(names, data, options)
        }
      },
    })
  }
  return functionOf([]) as Client<Domains>
}

const withoutSlash = (url: string): string => url.replace(/\/$/, '')
