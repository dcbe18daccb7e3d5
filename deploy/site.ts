import { z } from 'zod'
import { call, json, patiently, Refused, refusalOf, type Site } from './call.ts'

const command = z.object({ id: z.string(), receipt: z.string() })
export type Command = z.infer<typeof command>

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
