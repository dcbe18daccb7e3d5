import type { IncomingMessage } from 'node:http'
import { Problem } from '#core/problem.ts'

/** By these names a browser on this machine reaches it. No foreign site can have them. */
const OWN = ['localhost', '127.0.0.1', '[::1]']
/** Addresses to listen on that are no names. */
const EVERY = ['0.0.0.0', '::']
const SAFE = ['GET', 'HEAD', 'OPTIONS']
const LONGEST_NAME = 100

export interface LocalOnly {
  /** Throws 421 for a request for another host, and 403 for a write on behalf of a page of another host. */
  check(req: Pick<IncomingMessage, 'method' | 'headers'>): void
  /** The reason to refuse a gRPC call, by its authority. */
  refusal(authority: string): string | undefined
}

/**
 * For a server that trusts everybody who reaches it. A page of a foreign site reaches it too where its name is made to resolve to
 * 127.0.0.1 (DNS rebinding), or with a form: the first shows in `Host`, the second in `Origin`.
 */
export function localOnly({ address, more }: { address: string; more: string[] }): LocalOnly {
  const own = EVERY.includes(address) ? [] : [address.includes(':') ? `[${address}]` : address]
  const names = new Set([...OWN, ...own, ...more].map((name) => name.toLowerCase()))
  const isOwn = (host: string): boolean => names.has(nameIn(host))

  return {
    refusal: (authority) => (isOwn(authority) ? undefined : ADVICE),
    check({ method = 'GET', headers: { host, origin } }) {
      if (host !== undefined && !isOwn(host)) {
        throw new Problem(421, 'Misdirected request', `${reason(host)}. ${ADVICE}`)
      }
      if (origin === undefined || SAFE.includes(method) || isOwn(origin.replace(/^https?:\/\//, ''))) return
      throw new Problem(403, 'Foreign origin', `${reason(origin)}. ${ADVICE}`)
    },
  }
}

const ADVICE = 'This server is for its own machine: ask for localhost, or name the host in ALLOWED_HOSTS.'

const reason = (host: string): string => `There is nothing here for ${host.slice(0, LONGEST_NAME)}`

/** Without its port; empty for what is no host. */
const nameIn = (host: string): string => /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d+)?$/i.exec(host)?.[1]?.toLowerCase() ?? ''
