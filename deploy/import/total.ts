import { z } from 'zod'
import { call, patiently, refusalOf, type Site } from '../call.ts'
import { rejectionOf } from './send.ts'

const accepted = z.object({ receipt: z.string() })
const reused = z.object({ detail: z.string() })

/** Makes the sums begin with the total of the system before, once. Resolves with the reason where they do not. */
export async function importTotal(site: Site, total: number): Promise<string | undefined> {
  const answered = await patiently(site, async () => {
    const headers = { 'content-type': 'application/json' }
    const answer = await call(site, '/api/sums/import', { method: 'POST', headers, body: JSON.stringify({ total }) })
    const text = await answer.text()
    if (answer.status === 409) return { rejected: reused.parse(JSON.parse(text)).detail }
    if (answer.status !== 202) throw refusalOf(answer.status, text)
    return accepted.parse(JSON.parse(text))
  })
  return 'rejected' in answered ? `rejected: ${answered.rejected}` : await rejectionOf(site, answered.receipt)
}
