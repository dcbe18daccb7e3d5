import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'

/** A Millrace as its clients see it. */
export interface Site {
  SITE: string
  /** Seconds. */
  LIMIT: number
}

const command = z.object({ id: z.string(), receipt: z.string() })
export type Command = z.infer<typeof command>

const PAUSE_MS = 200
const CALL_MS = 10_000

/** A command, accepted. Repeats it with its key while the site is away, or says that it does not know. */
export async function publish(site: Site, title: string, key: string = crypto.randomUUID()): Promise<Command> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  const body = JSON.stringify({ title })
  return patiently(site, async () => {
    const answer = await call(site, '/api/tutorials', { method: 'POST', headers, body })
    const text = await answer.text()
    if (answer.status !== 202) throw refusalOf(answer.status, text)
    const accepted = command.parse(JSON.parse(text))
    if (answer.headers.get('location') !== accepted.receipt)
      throw new Refused('the answer does not lead to its receipt')
    return accepted
  })
}

/** Resolves once the receipt of a command says so. */
export const applied = (site: Site, { receipt }: Command): Promise<void> =>
  patiently(site, async () => {
    const { status } = await json(site, receipt, z.object({ status: z.string() }))
    if (status === 'pending') throw new Error(`${receipt} is pending`)
    if (status !== 'applied') throw new Refused(`${receipt} says ${status}`)
  })

/** The title of what a command made, read after its receipt. */
export const read = (site: Site, { id, receipt }: Command): Promise<string> =>
  patiently(site, async () => {
    const { title } = await json(site, `/api/tutorials/${id}?after=${receipt}`, z.object({ title: z.string() }))
    return title
  })

/** Asking again would not change it. */
class Refused extends Error {}

const refusalOf = (status: number, text: string): Error =>
  status >= 500 || status === 429 ? new Error(`${status} ${text}`) : new Refused(`${status} ${text}`)

const call = (site: Site, path: string, init: RequestInit = {}) =>
  fetch(new URL(path, site.SITE), { ...init, signal: AbortSignal.timeout(CALL_MS) })

async function json<Body>(site: Site, path: string, schema: z.ZodType<Body>): Promise<Body> {
  const answer = await call(site, path)
  const text = await answer.text()
  if (answer.status !== 200) throw refusalOf(answer.status, text)
  return schema.parse(JSON.parse(text))
}

/** Tries until it succeeds, is refused, or has taken the time limit; then the last failure is thrown. */
async function patiently<Result>({ SITE, LIMIT }: Site, attempt: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + LIMIT * 1000
  for (;;) {
    try {
      return await attempt()
    } catch (cause) {
      if (cause instanceof Refused || Date.now() > deadline) {
        throw new Error(`${SITE}: ${reasonOf(cause as Error)}`, { cause })
      }
      await sleep(PAUSE_MS)
    }
  }
}

const reasonOf = ({ message, cause }: Error): string =>
  cause instanceof Error ? `${message}: ${cause.message}` : message
