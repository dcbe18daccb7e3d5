import { z } from 'zod'
import { request, retryUntilLimit, type Site, toError } from '../site-client.ts'
import { rejectionOf } from './send-batch.ts'

const accepted = z.object({ receipt: z.string() })
const reused = z.object({ detail: z.string() })

/** Starts the running total with that of the previous system, once. Resolves with the reason if that is rejected. */
export async function importTotal(site: Site, total: number): Promise<string | undefined> {
  const answered = await retryUntilLimit(site, async () => {
    const headers = { 'content-type': 'application/json' }
    const answer = await request(site, '/api/sums/import', { method: 'POST', headers, body: JSON.stringify({ total }) })
    const text = await answer.text()
    if (answer.status === 409) return { rejected: reused.parse(JSON.parse(text)).detail }
    if (answer.status !== 202) throw toError(answer.status, text)
    return accepted.parse(JSON.parse(text))
  })
  return 'rejected' in answered ? `rejected: ${answered.rejected}` : await rejectionOf(site, answered.receipt)
}
