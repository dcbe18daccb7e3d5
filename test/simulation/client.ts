import { Problem, type Request, type Response } from '#adapters/host/http.ts'
import type { Address } from '#functions/receipts.ts'
import type { Asked } from './history.ts'
import type { Mill } from './mill.ts'

/** What became of a command, as far as its client knows. */
export interface Sent {
  asked: Asked
  /** Which command it is, once publish has said so. */
  address: Address | undefined
  receipt: string | undefined
  fate: 'acknowledged' | 'ambiguous' | 'refused'
  /** Outcomes that it was told of, in their order. */
  told: string[]
  /** Whether reads with `?after=` showed what it did. */
  reads: boolean[]
}

type Json = Record<string, unknown>

interface OwnRead {
  path: string
  shows(body: string): boolean
}

const readAccount = ({ body }: Asked, id: string): OwnRead | undefined =>
  body.by === 0 ? undefined : { path: `/api/accounts/${body.account}`, shows: (text) => text.includes(id) }

/** Where one's own write is read, and whether it shows there. A move by nothing has nothing to show. */
const READS: { [path: string]: (asked: Asked, id: string) => OwnRead | undefined } = {
  '/api/accounts/move': readAccount,
  '/api/accounts/close': readAccount,
  '/api/sums': ({ body }, id) => ({
    path: '/api/final/history',
    shows: (text) => text.includes(`"${body.requestId ?? id}"`),
  }),
  '/api/tutorials': (_, id) => ({ path: `/api/tutorials/${id}`, shows: (text) => text.includes(id) }),
}

export type Client = ReturnType<typeof newClient>

export function newClient({ publish, query, clock, addresses }: Mill) {
  const all: Sent[] = []

  /** Sends it, again where that may help, and reads what came of it. */
  async function send(asked: Asked): Promise<void> {
    const sent: Sent = { asked, address: undefined, receipt: undefined, fate: 'refused', told: [], reads: [] }
    all.push(sent)
    let { key } = asked
    for (let left = asked.repeats; ; left--) {
      const { status, body } = await call(publish, 'POST', asked.path, { ...asked, key })
      const receipt = receiptIn(body)
      if (receipt !== undefined) {
        sent.receipt = receipt
        sent.address = addresses.verify(receipt, clock.now())
      }
      if (status !== 503) {
        if (receipt === undefined) throw new Error(`publish answered ${status}: ${JSON.stringify(body)}`)
        sent.fate = 'acknowledged'
        if (typeof body.status === 'string' && body.status !== 'pending') sent.told.push(body.status)
        if (typeof body.outcome === 'string') sent.told.push(body.outcome)
        break
      }
      if (body.unknown) sent.fate = 'ambiguous'
      if (left === 0) return
      key = String(body.idempotencyKey)
      await clock.sleep(1000)
    }
    if (asked.reads) await readBack(sent)
  }

  async function readBack({ asked, address, receipt, told, reads }: Sent): Promise<void> {
    const read = READS[asked.path]?.(asked, address?.id ?? '')
    if (read) {
      const { status, text } = await call(query, 'GET', read.path, undefined, { after: String(receipt) })
      if (status !== 503) reads.push(status === 200 && read.shows(text))
    }
    told.push(await outcomeOf(String(receipt)))
  }

  /** As a client reads it; `unknown` while the store is away. */
  async function outcomeOf(receipt: string): Promise<string> {
    const { status, body } = await call(query, 'GET', `/api/receipts/${receipt}`)
    return status === 200 ? String(body.status) : 'unknown'
  }

  async function letters(): Promise<Json[]> {
    const { body } = await call(query, 'GET', '/api/letters', undefined, { limit: '1000' })
    return (body.items ?? []) as Json[]
  }

  /** What an operator asks for. */
  const order = (what: 'redrive' | 'discard', body: Json): Promise<void> =>
    send({ path: `/api/letters/${what}`, body, waits: false, reads: false, repeats: 5 })

  return { sent: all, send, order, outcomeOf, letters }
}

function receiptIn({ receipt }: Json): string | undefined {
  return typeof receipt === 'string' ? receipt.slice(receipt.lastIndexOf('/') + 1) : undefined
}

const never = new AbortController().signal

async function call(
  handle: (request: Request) => Promise<Response>,
  method: string,
  path: string,
  asked?: Pick<Asked, 'body' | 'key' | 'ifMatch' | 'waits'>,
  params: Record<string, string> = {},
): Promise<{ status: number; body: Json; text: string }> {
  const request: Request = {
    method,
    path,
    query: new URLSearchParams(params),
    headers: {
      'content-type': 'application/json',
      ...(asked?.key === undefined ? {} : { 'idempotency-key': asked.key }),
      ...(asked?.ifMatch === undefined ? {} : { 'if-match': `"${asked.ifMatch}"` }),
      ...(asked?.waits ? { prefer: 'wait=1' } : {}),
    },
    body: Buffer.from(JSON.stringify(asked?.body ?? null)),
    trace: { traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`, traceId: '1'.repeat(32) },
    signal: never,
    closing: never,
    route: '',
  }
  try {
    const { status, body, headers } = await handle(request)
    const parsed = JSON.parse(String(body)) as Json
    return { status, text: String(body), body: headers?.location ? { receipt: headers.location, ...parsed } : parsed }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { status: error.status, body: error.members, text: error.message }
  }
}
