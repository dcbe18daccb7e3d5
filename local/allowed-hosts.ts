import type { IncomingMessage } from 'node:http'
import { Problem } from '#core/problem.ts'

/** The names of this machine for its own browsers. No foreign site can have them. */
const LOCAL_HOSTS = ['localhost', '127.0.0.1', '[::1]']
/** Addresses to listen on that are not names. */
const ALL_ADDRESSES = ['0.0.0.0', '::']
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']
const LONGEST_NAME = 100

/** True for a page of this machine. The scheme counts, since other schemes have hosts too: `javascript:` among them. */
export function isLocalPage(uri: string): boolean {
  if (!URL.canParse(uri)) return false
  const { protocol, hostname } = new URL(uri)
  return ['http:', 'https:'].includes(protocol) && LOCAL_HOSTS.includes(hostname)
}

export interface AllowedHosts {
  /** Throws 421 for a request to another host, and 403 for a write by a page of another host. */
  check(req: Pick<IncomingMessage, 'method' | 'headers'>): void
  /** The reason to refuse a gRPC call, by its authority; undefined for an allowed one. */
  refusal(authority: string): string | undefined
}

/**
 * Protects a server that trusts every caller. A page of a foreign site reaches such a server too, if its name resolves to
 * 127.0.0.1 (DNS rebinding) or with a form. `Host` reveals the first, `Origin` the second.
 */
export function allowedHosts({ address, more }: { address: string; more: string[] }): AllowedHosts {
  const own = ALL_ADDRESSES.includes(address) ? [] : [address.includes(':') ? `[${address}]` : address]
  const names = new Set([...LOCAL_HOSTS, ...own, ...more].map((name) => name.toLowerCase()))
  const isAllowed = (host: string): boolean => names.has(nameIn(host))

  return {
    refusal: (authority) => (isAllowed(authority) ? undefined : ADVICE),
    check({ method = 'GET', headers: { host, origin } }) {
      if (host !== undefined && !isAllowed(host)) {
        throw new Problem(421, 'Misdirected request', `${reason(host)}. ${ADVICE}`)
      }
      if (origin === undefined || SAFE_METHODS.includes(method) || isAllowed(origin.replace(/^https?:\/\//, ''))) return
      throw new Problem(403, 'Foreign origin', `${reason(origin)}. ${ADVICE}`)
    },
  }
}

const ADVICE = 'This server serves its own machine only: use localhost, or add the host to ALLOWED_HOSTS.'

const reason = (host: string): string => `This server does not serve ${host.slice(0, LONGEST_NAME)}`

/** The host without its port; empty for a malformed one. */
const nameIn = (host: string): string => /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d+)?$/i.exec(host)?.[1]?.toLowerCase() ?? ''
