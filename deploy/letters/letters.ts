import { z } from 'zod'
import { call, json, patiently, Refused, refusalOf, type Site } from '../call.ts'

const letter = z.looseObject({
  id: z.string(),
  at: z.string(),
  domain: z.string(),
  stream: z.string(),
  error: z.string(),
  attempts: z.number(),
  record: z.looseObject({ topic: z.string(), partition: z.number().nullable(), offset: z.number().nullable() }),
  event: z.looseObject({}),
})
export type Letter = z.infer<typeof letter>

const page = z.object({ items: z.array(letter), next: z.string().nullable() })

const outcome = z.looseObject({
  redriven: z.number().optional(),
  failures: z.number().optional(),
  failed: z.array(z.object({ id: z.string(), error: z.string() })).optional(),
  discarded: z.number().optional(),
})
export type Outcome = z.infer<typeof outcome>

const PAGE = 100

/** Page by page, the oldest first. */
export async function* pages(site: Site): AsyncGenerator<Letter[]> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = new URLSearchParams({ limit: `${PAGE}`, ...(cursor ? { cursor } : {}) }).toString()
    const { items, next } = await patiently(site, () => json(site, `/api/letters?${query}`, page))
    if (items.length > 0) yield items
    cursor = next
  }
}

export const one = (site: Site, id: string): Promise<Letter> =>
  patiently(site, () => json(site, `/api/letters/${encodeURIComponent(id)}`, letter))

const accepted = z.object({ id: z.string(), receipt: z.string() })
const receipt = z.object({ status: z.string(), reason: z.string().optional() })

/** Sends a redrive or a discard, once however often it has to be repeated, and resolves with what came of it. */
export async function order(site: Site, what: 'redrive' | 'discard', body: object): Promise<Outcome> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }
  const command = await patiently(site, async () => {
    const answer = await call(site, `/api/letters/${what}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const text = await answer.text()
    if (answer.status !== 202) throw refusalOf(answer.status, text)
    return accepted.parse(JSON.parse(text))
  })
  const path = `/api/letters/redrives/${command.id}`
  return await patiently(site, async () => {
    const { status, reason } = await json(site, command.receipt, receipt)
    if (status === 'pending') throw new Error(`it goes on; what comes of it will stand at ${path}`)
    if (status !== 'applied') throw new Refused(`${status}: ${reason}`)
    return await json(site, `${path}?after=${command.receipt}`, outcome)
  })
}
