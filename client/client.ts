import type { Domain } from '#domains/domain.ts'
import { command } from './commands.ts'
import { live } from './live.ts'
import { places } from './places.ts'
import { ask, each, lines, type Params } from './reads.ts'
import type { Sending } from './send.ts'
import type { Client } from './types.ts'
import { unreadCommands } from './unread.ts'

export interface ClientOptions {
  /** The site, or its two functions where they stand apart; this page's own site unless said. */
  url?: string | { publish: string; query: string }
  /** A bearer's; a function is asked before each request. */
  token?: Sending['token']
  fetch?: typeof globalThis.fetch
  /** How often a request is tried at most. */
  attempts?: number
}

/**
 * A client of the domains whose types it is given:
 *
 *     const client = createClient<{ sums: typeof sums }>({ url })
 *     const { result } = await client.sums.add({ firstNumber: 2, secondNumber: 3 })
 *     for await (const sum of client.sums.history.each()) ...
 *
 * There is no code of the domains in it: where what is, it asks of the site. Commands are repeated under one key until they are
 * answered, and what one client reads has what it wrote. Whatever goes wrong there or on the way is a `Problem`.
 */
export function createClient<Domains extends { [name: string]: Domain }>(options: ClientOptions = {}): Client<Domains> {
  const { url = '', token, fetch = (...args) => globalThis.fetch(...args), attempts = 5 } = options
  const { publish, query } = typeof url === 'string' ? { publish: url, query: url } : url
  const sending: Sending = { fetch, token, attempts }
  const unread = unreadCommands()
  const commanding = { sending, site: trimmed(publish), unread }
  const reading = { sending, site: trimmed(query), unread }
  const known = places(sending, reading.site)

  async function placeOf(names: string[]) {
    const name = names.join('.')
    const place = (await known()).get(name)
    if (place) return place
    throw new TypeError(`${reading.site || 'this site'} has no command and no query ${name}`)
  }

  async function call(names: string[], data: unknown, options = {}): Promise<unknown> {
    const place = await placeOf(names)
    if (place.answers === undefined) return await command(commanding, place, data, options)
    return await ask(reading, place, (data ?? {}) as Params, options)
  }

  async function* many(names: string[], how: string, data: Params = {}, options = {}): AsyncGenerator {
    const place = await placeOf(names)
    const read = place.answers === 'live' ? live : how === 'lines' ? lines : each
    yield* read(reading, place, data, options)
  }

  /** What stands at a name: more names, and all that can be called. */
  function at(names: string[]): unknown {
    return new Proxy(() => {}, {
      get: (_, name) => (typeof name === 'string' && name !== 'then' ? at([...names, name]) : undefined),
      apply(_, __, [data, options]) {
        const last = names.at(-1)
        if (last === 'numbered') return call(names.slice(0, -1), { page: 0, ...(data as object) }, options)
        if (last === 'each' || last === 'lines') return many(names.slice(0, -1), last, data, options)
        return call(names, data, options)
      },
    })
  }
  return at([]) as Client<Domains>
}

const trimmed = (url: string): string => url.replace(/\/$/, '')
