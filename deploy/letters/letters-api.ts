import { z } from 'zod'
import { getJson, PermanentError, request, retryUntilLimit, type Site, toError } from '../site-client.ts'

const letter = z.looseObject({
  id: z.string(),
  at: z.string(),
  domain: z.string(),
  type: z.string().optional(),
  stream: z.string(),
  error: z.string(),
  frames: z.array(z.string()).optional(),
  attempts: z.number(),
  record: z.looseObject({ topic: z.string(), partition: z.number().nullable(), offset: z.number().nullable() }),
  event: z.looseObject({}),
})
export type Letter = z.infer<typeof letter>

const page = z.object({ items: z.array(letter), next: z.string().nullable() })

const outcome = z.looseObject({
  redriven: z.number().optional(),
  failures: z.number().optional(),
  failed: z.array(z.object({ id: z.string(), error: z.string(), frames: z.array(z.string()).optional() })).optional(),
  discarded: z.number().optional(),
})
export type Outcome = z.infer<typeof outcome>

const PAGE = 100

/** All letters, page by page, the oldest first. */
export async function* letterPages(site: Site): AsyncGenerator<Letter[]> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = new URLSearchParams({ limit: `${PAGE}`, ...(cursor ? { cursor } : {}) }).toString()
    const { items, next } = await retryUntilLimit(site, () => getJson(site, `/api/letters?${query}`, page))
    if (items.length > 0) yield items
    cursor = next
  }
}

export const getLetter = (site: Site, id: string): Promise<Letter> =>
  retryUntilLimit(site, () => getJson(site, `/api/letters/${encodeURIComponent(id)}`, letter))

const accepted = z.object({ id: z.string(), receipt: z.string() })
const receipt = z.object({ status: z.string(), reason: z.string().optional() })

/** Sends a redrive or a discard, with one idempotency key for all retries, and resolves with its outcome. */
export async function sendCommand(site: Site, what: 'redrive' | 'discard', body: object): Promise<Outcome> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }
  const command = await retryUntilLimit(site, async () => {
    const answer = await request(site, `/api/letters/${what}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const text = await answer.text()
    if (answer.status !== 202) throw toError(answer.status, text)
    return accepted.parse(JSON.parse(text))
  })
  const path = `/api/letters/redrives/${command.id}`
  return await retryUntilLimit(site, async () => {
    const { status, reason } = await getJson(site, command.receipt, receipt)
    if (status === 'pending') throw new Error(`it is still running; its outcome will be at ${path}`)
    if (status !== 'applied') throw new PermanentError(`${status}: ${reason}`)
    return await getJson(site, `${path}?after=${command.receipt}`, outcome)
  })
}
