import { Problem } from '#core/problem.ts'
import type { Address } from '#core/receipts.ts'
import type { Request, Response } from '#core/request.ts'
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

interface Answer {
  status: number
  body: Json
}

interface OwnRead {
  path: string
  params?: Record<string, string>
  shows(body: string): boolean
}

const readPurse = (body: Json, id: string): OwnRead | undefined =>
  body.by === 0 ? undefined : { path: `/api/purses/${body.purse}`, shows: (text) => text.includes(id) }

/** Where one's own write is read, and whether it shows there. A move by nothing has nothing to show. */
const READS: { [path: string]: (body: Json, id: string) => OwnRead | undefined } = {
  '/api/purses/move': readPurse,
  '/api/purses/close': readPurse,
  '/api/sums': (body, id) => ({
    path: '/api/final/history',
    shows: (text) => text.includes(`"${body.requestId ?? id}"`),
  }),
  '/api/logs': ({ organizationId }, id) => ({
    path: '/api/logs',
    params: { organizationId: String(organizationId), limit: '1000' },
    shows: (text) => text.includes(id),
  }),
  '/api/tutorials': (_, id) => ({ path: `/api/tutorials/${id}`, shows: (text) => text.includes(id) }),
}

export type Client = ReturnType<typeof newClient>

export function newClient({ publishers, query, clock, addresses }: Mill) {
  const all: Sent[] = []
  let calls = 0
  const publish: Mill['query'] = (request) => (publishers[calls++ % publishers.length] as Mill['query'])(request)

  function newSent(asked: Asked): Sent {
    const sent: Sent = { asked, address: undefined, receipt: undefined, fate: 'refused', told: [], reads: [] }
    all.push(sent)
    return sent
  }

  /** What an answer says of it, or that of its line. One whose key stands for another command never was one. */
  function note(sent: Sent, { status, body }: Answer): void {
    if (isReuse({ status, body })) return
    const receipt = receiptIn(body)
    if (receipt !== undefined) {
      sent.receipt = receipt
      sent.address = addresses.verify(receipt, clock.now())
    }
    if (status !== 503) sent.fate = 'acknowledged'
    else if (body.unknown && sent.fate === 'refused') sent.fate = 'ambiguous'
  }

  /** Sends it, again where that may help, and reads what came of it. */
  async function send(asked: Asked): Promise<void> {
    if (Array.isArray(asked.body)) return await sendBatch(asked, asked.body)
    const sent = newSent(asked)
    let { key } = asked
    for (let left = asked.repeats; ; left--) {
      const { status, body } = await call(publish, { ...asked, key })
      note(sent, { status, body })
      if (isReuse({ status, body })) return
      if (status !== 503) {
        if (sent.receipt === undefined) throw new Error(`publish answered ${status}: ${JSON.stringify(body)}`)
        if (typeof body.status === 'string' && body.status !== 'pending') sent.told.push(body.status)
        if (typeof body.outcome === 'string') sent.told.push(body.outcome)
        break
      }
      if (left === 0) return
      if (body.idempotencyKey !== undefined) key = String(body.idempotencyKey)
      await clock.sleep(1000)
    }
    if (asked.reads) await readBack(sent)
  }

  /** Again only with a key: without one each line would be another command. */
  async function sendBatch(asked: Asked, bodies: Json[]): Promise<void> {
    const lines = bodies.map((body) => newSent({ ...asked, body }))
    const asks = { ...asked, waits: false }
    for (let left = asked.key === undefined ? 0 : asked.repeats; ; left--) {
      const { body } = await call(publish, asks)
      const answers = (Array.isArray(body) ? body : body.lines) as (Json & { line: number; status: number })[]
      for (const { line, status, ...body } of answers)
        if (status !== 422) note(lines[line - 1] as Sent, { status, body })
      if (left === 0 || answers.every(({ status }) => status !== 503)) break
      await clock.sleep(1000)
    }
    if (asked.reads) for (const sent of lines) if (sent.fate === 'acknowledged') await readBack(sent)
  }

  async function readBack({ asked, address, receipt, told, reads }: Sent): Promise<void> {
    const read = READS[asked.path]?.(asked.body as Json, address?.id ?? '')
    if (read) {
      const { status, text } = await call(query, { path: read.path }, { after: String(receipt), ...read.params })
      if (status !== 503) reads.push(status === 200 && read.shows(text))
    }
    told.push(await outcomeOf(String(receipt)))
  }

  /** As a client reads it; `unknown` while the store is away. */
  async function outcomeOf(receipt: string): Promise<string> {
    const { status, body } = await call(query, { path: `/api/receipts/${receipt}` })
    return status === 200 ? String(body.status) : 'unknown'
  }

  async function letters(): Promise<Json[]> {
    const { body } = await call(query, { path: '/api/letters' }, { limit: '1000' })
    return (body.items ?? []) as Json[]
  }

  /** What an operator asks for. */
  const order = (what: 'redrive' | 'discard', body: Json): Promise<void> =>
    send({ path: `/api/letters/${what}`, body, waits: false, reads: false, repeats: 5 })

  return { sent: all, send, order, outcomeOf, letters }
}

/** Publish knows at once that the key stands for another command. */
const isReuse = ({ status, body }: Answer): boolean => status === 409 && body.first !== undefined

function receiptIn({ receipt }: Json): string | undefined {
  return typeof receipt === 'string' ? receipt.slice(receipt.lastIndexOf('/') + 1) : undefined
}

const never = new AbortController().signal

/** What is asked of publish as a client has it, or of query, which takes nothing else. */
async function call(
  handle: (request: Request) => Promise<Response>,
  asked: Asked | Pick<Asked, 'path'>,
  params?: Record<string, string>,
): Promise<Answer & { text: string }> {
  const { path, method, body, as, key, ifMatch, waits }: Partial<Asked> & Pick<Asked, 'path'> = asked
  const request: Request = {
    method: method ?? ('body' in asked ? 'POST' : 'GET'),
    path,
    query: new URLSearchParams(params),
    headers: {
      'content-type': 'application/json',
      ...(as === undefined ? {} : { authorization: `Bearer ${as}` }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(ifMatch === undefined ? {} : { 'if-match': `"${ifMatch}"` }),
      ...(waits ? { prefer: 'wait=1' } : {}),
    },
    body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    trace: { traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`, traceId: '1'.repeat(32) },
    signal: never,
    closing: never,
    route: '',
  }
  try {
    const { status, body, headers } = await handle(request)
    const parsed = JSON.parse(String(body)) as Json
    const located = headers?.location ? { receipt: headers.location, ...parsed } : parsed
    return { status, text: String(body), body: located }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { status: error.status, body: error.members, text: error.message }
  }
}
