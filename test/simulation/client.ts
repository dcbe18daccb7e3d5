import { Problem } from '#core/problem.ts'
import type { Address } from '#core/receipts.ts'
import type { Request, Response } from '#core/request.ts'
import type { ClientRequest } from './history.ts'
import type { System } from './system.ts'

/** A command that a client has sent, with all that the client knows of it. */
export interface Sent {
  request: ClientRequest
  /** The command's address, once publish has returned it. */
  address: Address | undefined
  receipt: string | undefined
  fate: 'acknowledged' | 'ambiguous' | 'refused'
  /** The outcomes that the client received, in order. */
  reported: string[]
  /** True for each read with `?after=` that showed the command's effect. */
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

/** The read that shows a write of the same client. A move by zero has no effect to show. */
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

export function newClient({ publishers, query, clock, addresses }: System) {
  const all: Sent[] = []
  let calls = 0
  const publish: System['query'] = (request) => (publishers[calls++ % publishers.length] as System['query'])(request)

  function newSent(request: ClientRequest): Sent {
    const sent: Sent = { request, address: undefined, receipt: undefined, fate: 'refused', reported: [], reads: [] }
    all.push(sent)
    return sent
  }

  /** Records a response, or the line of one. A request whose key belongs to another command is no command. */
  function record(sent: Sent, { status, body }: Answer): void {
    if (isReuse({ status, body })) return
    const receipt = receiptIn(body)
    if (receipt !== undefined) {
      sent.receipt = receipt
      sent.address = addresses.verify(receipt, clock.now())
    }
    if (status !== 503) sent.fate = 'acknowledged'
    else if (body.unknown && sent.fate === 'refused') sent.fate = 'ambiguous'
  }

  /** Sends a request, repeats it if that may help, and reads its outcome. */
  async function send(request: ClientRequest): Promise<void> {
    if (Array.isArray(request.body)) return await sendBatch(request, request.body)
    const sent = newSent(request)
    let { key } = request
    for (let left = request.repeats; ; left--) {
      const { status, body } = await call(publish, { ...request, key })
      record(sent, { status, body })
      if (isReuse({ status, body })) return
      if (status !== 503) {
        if (sent.receipt === undefined) throw new Error(`publish answered ${status}: ${JSON.stringify(body)}`)
        if (typeof body.status === 'string' && body.status !== 'pending') sent.reported.push(body.status)
        if (typeof body.outcome === 'string') sent.reported.push(body.outcome)
        break
      }
      if (left === 0) return
      if (body.idempotencyKey !== undefined) key = String(body.idempotencyKey)
      await clock.sleep(1000)
    }
    if (request.reads) await readBack(sent)
  }

  /** Repeats only with a key. Without one each line would be another command. */
  async function sendBatch(request: ClientRequest, bodies: Json[]): Promise<void> {
    const lines = bodies.map((body) => newSent({ ...request, body }))
    const asks = { ...request, waits: false }
    for (let left = request.key === undefined ? 0 : request.repeats; ; left--) {
      const { body } = await call(publish, asks)
      const answers = (Array.isArray(body) ? body : body.lines) as (Json & { line: number; status: number })[]
      for (const { line, status, ...body } of answers)
        if (status !== 422) record(lines[line - 1] as Sent, { status, body })
      if (left === 0 || answers.every(({ status }) => status !== 503)) break
      await clock.sleep(1000)
    }
    if (request.reads) for (const sent of lines) if (sent.fate === 'acknowledged') await readBack(sent)
  }

  async function readBack({ request, address, receipt, reported, reads }: Sent): Promise<void> {
    const read = READS[request.path]?.(request.body as Json, address?.id ?? '')
    if (read) {
      const { status, text } = await call(query, { path: read.path }, { after: String(receipt), ...read.params })
      if (status !== 503) reads.push(status === 200 && read.shows(text))
    }
    reported.push(await outcomeOf(String(receipt)))
  }

  /** The outcome in a receipt; `unknown` while the store is unavailable. */
  async function outcomeOf(receipt: string): Promise<string> {
    const { status, body } = await call(query, { path: `/api/receipts/${receipt}` })
    return status === 200 ? String(body.status) : 'unknown'
  }

  async function letters(): Promise<Json[]> {
    const { body } = await call(query, { path: '/api/letters' }, { limit: '1000' })
    return (body.items ?? []) as Json[]
  }

  /** Sends a command of an operator. */
  const order = (what: 'redrive' | 'discard', body: Json): Promise<void> =>
    send({ path: `/api/letters/${what}`, body, waits: false, reads: false, repeats: 5 })

  return { sent: all, send, order, outcomeOf, letters }
}

/** True when publish already knows the key from another command. */
const isReuse = ({ status, body }: Answer): boolean => status === 409 && body.first !== undefined

function receiptIn({ receipt }: Json): string | undefined {
  return typeof receipt === 'string' ? receipt.slice(receipt.lastIndexOf('/') + 1) : undefined
}

const never = new AbortController().signal

/** Sends a request to publish, or to query if it has only a path. */
async function call(
  handle: (request: Request) => Promise<Response>,
  sent: ClientRequest | Pick<ClientRequest, 'path'>,
  params?: Record<string, string>,
): Promise<Answer & { text: string }> {
  const { path, method, body, as, key, ifMatch, waits }: Partial<ClientRequest> & Pick<ClientRequest, 'path'> = sent
  const request: Request = {
    method: method ?? ('body' in sent ? 'POST' : 'GET'),
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
