import type { CallerOf } from '#core/access.ts'
import { addresses } from '#core/receipts.ts'
import { waiting } from '#core/waiting.ts'
import type { Domain } from '#domains/domain.ts'
import { callers } from './callers.ts'
import { config } from './config.ts'
import { wire } from './wiring.ts'

/** The parts of a function that answers requests of clients: it knows the caller, signs receipts and waits for outcomes. */
export async function wireRequests(domains: Domain[], callerOf: CallerOf = callers(config(), domains)) {
  const wired = await wire(domains)
  return {
    ...wired,
    domains,
    callerOf,
    addresses: addresses(...wired.secrets),
    waiting: waiting(wired.store, domains, wired.clock),
  }
}
