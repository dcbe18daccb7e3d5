import type { Clock } from '#core/clock.ts'
import { Problem, RETRY_SOON } from '#core/problem.ts'
import type { Addresses } from '#core/receipts.ts'
import { jsonResponse } from '#core/request.ts'
import type { Waiting } from '#core/waiting.ts'
import type { Answering } from './answer.ts'

export interface ReceiptParts {
  addresses: Addresses
  waiting: Waiting
  clock: Clock
}

/** How long `?after=` waits for one's own write, so that a read stays a read. */
const OWN_WRITE_MS = 2000

/** The outcome of a command, as it is now. */
export const receipt =
  ({ addresses, waiting, clock }: ReceiptParts): Answering =>
  async ({ request, params }) => {
    const address = addresses.verify(String(params.receipt), clock.now())
    const found = await waiting.wait(address, 0, request.signal)
    const headers = { 'cache-control': 'no-store', ...(found.status === 'pending' ? RETRY_SOON : {}) }
    return jsonResponse(200, { id: address.id, ...found }, headers)
  }

/** Resolves once the command of a receipt has its outcome; `receipt` may be its whole address. */
export async function ownWrite(parts: ReceiptParts, receipt: string, signal: AbortSignal): Promise<void> {
  const address = parts.addresses.verify(receipt.replace(/^.*\//, ''), parts.clock.now())
  const found = await parts.waiting.wait(address, OWN_WRITE_MS, signal)
  if (found.status === 'pending') {
    const headers = RETRY_SOON
    throw new Problem(503, 'Not yet applied', 'The command of this receipt is not applied yet.', { headers })
  }
}
