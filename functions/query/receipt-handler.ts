import type { Clock } from '#core/clock.ts'
import { Problem, RETRY_SOON } from '#core/problem.ts'
import type { Addresses } from '#core/receipts.ts'
import { jsonResponse } from '#core/request.ts'
import type { Waiting } from '#core/waiting.ts'
import type { QueryHandler } from './handler.ts'

export interface ReceiptParts {
  addresses: Addresses
  waiting: Waiting
  clock: Clock
}

/** The longest time that `?after=` waits, so that a read stays short. */
const OWN_WRITE_MS = 2000

/** Answers the outcome of a command as it is now. */
export const receiptHandler =
  ({ addresses, waiting, clock }: ReceiptParts): QueryHandler =>
  async ({ request, params }) => {
    const address = addresses.verify(String(params.receipt), clock.now())
    const receipt = await waiting.wait(address, 0, request.signal)
    const headers = { 'cache-control': 'no-store', ...(receipt.status === 'pending' ? RETRY_SOON : {}) }
    return jsonResponse(200, { id: address.id, ...receipt }, headers)
  }

/** Resolves once the command of each receipt has its outcome. */
export async function waitForOwnWrites(parts: ReceiptParts, receipts: string[], signal: AbortSignal): Promise<void> {
  await Promise.all(receipts.map((receipt) => waitForOwnWrite(parts, receipt, signal)))
}

/** Resolves once the command of a receipt has its outcome. `receipt` is the receipt or its path. Throws 503 after 2 s. */
async function waitForOwnWrite(parts: ReceiptParts, receipt: string, signal: AbortSignal): Promise<void> {
  const address = parts.addresses.verify(receipt.replace(/^.*\//, ''), parts.clock.now())
  const { status } = await parts.waiting.wait(address, OWN_WRITE_MS, signal)
  if (status === 'pending') {
    const headers = RETRY_SOON
    throw new Problem(503, 'Not yet applied', 'The command of this receipt is not applied yet.', { headers })
  }
}
