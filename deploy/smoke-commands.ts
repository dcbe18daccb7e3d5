import { z } from 'zod'
import { getJson, PermanentError, request, retryUntilLimit, type Site, toError } from './site-client.ts'

const command = z.object({ id: z.string(), receipt: z.string() })
export type Command = z.infer<typeof command>

/** Publishes a tutorial. Repeats the command with its key while the site is unavailable or the outcome unknown. */
export async function publishTutorial(site: Site, title: string, key: string = crypto.randomUUID()): Promise<Command> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  const body = JSON.stringify({ title })
  return retryUntilLimit(site, async () => {
    const answer = await request(site, '/api/tutorials', { method: 'POST', headers, body })
    const text = await answer.text()
    if (answer.status !== 202) throw toError(answer.status, text)
    const accepted = command.parse(JSON.parse(text))
    if (answer.headers.get('location') !== accepted.receipt)
      throw new PermanentError('the Location header is not the receipt')
    return accepted
  })
}

/** Resolves once the receipt says that the command is applied. */
export const untilApplied = (site: Site, { receipt }: Command): Promise<void> =>
  retryUntilLimit(site, async () => {
    const { status } = await getJson(site, receipt, z.object({ status: z.string() }))
    if (status === 'pending') throw new Error(`${receipt} is pending`)
    if (status !== 'applied') throw new PermanentError(`${receipt} says ${status}`)
  })

/** The title of the command's tutorial, read after its receipt. */
export const readTitle = (site: Site, { id, receipt }: Command): Promise<string> =>
  retryUntilLimit(site, async () => {
    const { title } = await getJson(site, `/api/tutorials/${id}?after=${receipt}`, z.object({ title: z.string() }))
    return title
  })
