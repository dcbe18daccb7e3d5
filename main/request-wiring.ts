import { addresses } from '#core/receipts.ts'
import { waiting } from '#core/waiting.ts'
import type { Domain } from '#domains/domain.ts'
import { openCallers } from './callers.ts'
import { wire } from './wiring.ts'

/** The parts of a function that answers requests of clients: it knows the caller, signs receipts and waits for outcomes. */
export async function wireRequests(domains: Domain[]) {
  const wired = await wire()
  return {
    ...wired,
    domains,
    callerOf: openCallers(wired.settings, domains),
    addresses: addresses(...wired.secrets),
    waiting: waiting(wired.store, domains, wired.clock),
  }
}
