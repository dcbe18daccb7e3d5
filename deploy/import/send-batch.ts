import { z } from 'zod'
import { NDJSON_TYPE } from '#core/media-types.ts'
import { getJson, request, retryUntilLimit, type Site, toError } from '../site-client.ts'
import type { Tutorial } from './original-tutorial.ts'

export interface Item {
  at: string
  tutorial: Tutorial
}

export interface Refusal {
  at: string
  reason: string
}

interface Accepted {
  at: string
  receipt: string
}

const answer = z.object({
  line: z.int(),
  status: z.int(),
  receipt: z.string().optional(),
  detail: z.string().optional(),
})
const receipt = z.object({ status: z.string(), reason: z.string().optional() })

const RECEIPTS_AT_ONCE = 16

/**
 * Sends a batch and waits for the outcome of each line. A line that was sent before has no effect. Resolves with the lines that
 * were refused or rejected. Throws if the site stays unavailable or refuses the whole request.
 */
export async function sendBatch(site: Site, items: Item[]): Promise<Refusal[]> {
  const { accepted, refusals } = await accept(site, items)
  const waiting = accepted.values()
  await Promise.all(
    Array.from({ length: RECEIPTS_AT_ONCE }, async () => {
      for (const { at, receipt } of waiting) {
        const reason = await rejectionOf(site, receipt)
        if (reason !== undefined) refusals.push({ at, reason })
      }
    }),
  )
  return refusals
}

/** Repeats unaccepted lines until each is accepted or refused. */
async function accept(site: Site, items: Item[]): Promise<{ accepted: Accepted[]; refusals: Refusal[] }> {
  const accepted: Accepted[] = []
  const refusals: Refusal[] = []
  let open = items
  await retryUntilLimit(site, async () => {
    const answers = await post(site, open)
    const again: Item[] = []
    let problem = ''
    for (const [index, item] of open.entries()) {
      const { status, receipt, detail = '' } = answers.get(index + 1) ?? { status: 503 }
      if (status === 202 && receipt !== undefined) accepted.push({ at: item.at, receipt })
      else if (status >= 500 || status === 429) {
        again.push(item)
        problem = `${status} ${detail}`
      } else refusals.push({ at: item.at, reason: detail })
    }
    open = again
    if (open.length > 0) throw new Error(problem)
  })
  return { accepted, refusals }
}

async function post(site: Site, items: Item[]): Promise<Map<number, z.infer<typeof answer>>> {
  const body = items.map(({ tutorial }) => `${JSON.stringify(tutorial)}\n`).join('')
  const headers = { 'content-type': NDJSON_TYPE }
  const response = await request(site, '/api/tutorials/import', { method: 'POST', headers, body })
  const text = await response.text()
  if (response.status !== 202 && response.status !== 207) throw toError(response.status, text)
  const answers = text.trimEnd().split('\n')
  return new Map(answers.map((line) => answer.parse(JSON.parse(line))).map((answer) => [answer.line, answer]))
}

/** The reason why a command had no effect; undefined for an applied one. query waits for the outcome, so this does not poll. */
export const rejectionOf = (site: Site, path: string): Promise<string | undefined> =>
  retryUntilLimit(site, async () => {
    const { status, reason } = await getJson(site, `${path}?after=${path}`, receipt)
    if (status === 'pending') throw new Error('persist has not applied the accepted command yet; nothing is lost')
    return status === 'applied' ? undefined : `${status}: ${reason}`
  })
