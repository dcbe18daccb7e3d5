import { KINDS } from '#client/live.ts'
import { fillPath } from '#client/operations.ts'
import { systemClock } from '#core/clock.ts'
import { ANONYMOUS } from '#core/ids.ts'
import { Problem } from '#core/problem.ts'
import { addresses } from '#core/receipts.ts'
import { followedCollection } from '#core/registry.ts'
import { type Request, type Response, router, traceOf } from '#core/request.ts'
import type { Store } from '#core/store.ts'
import type { Logger, Metrics } from '#core/telemetry.ts'
import { waiting } from '#core/waiting.ts'
import type { Caller, Domain, Json } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { querier } from '#functions/query/querier.ts'
import type { CallerOptions } from './types.ts'

/** A question to a domain: a query by its name and parameters, or a path. */
export type Question = { name: string; params: object } | { path: string }

export type Answered = { answer: Json | bigint } | { problem: Problem }

/** A client that asks one question, as one caller. */
export interface Client {
  /** Notes the position of a live query, which answers with what is inserted from here on. */
  connect(): Promise<void>
  /** Throws what the domain's code throws. */
  ask(): Promise<Answered>
}

const never = new AbortController().signal

/** Throws if the domain has no such query. */
export function clientOf(domain: Domain, store: Store, question: Question, { caller }: CallerOptions): Client {
  const { url, query } = resolved(domain, question)
  const isList = followedCollection(domain, query) !== undefined
  const { id = ANONYMOUS, scopes = query.scope === undefined ? [] : [query.scope], ...more } = caller ?? {}
  const asking: Caller = { ...more, id, scopes: new Set(scopes) }
  const { logger, metrics, errors } = telemetry()
  let position: string | undefined
  /** Watches from the noted position to the present, so that a live query ends. */
  const watch: Store['watch'] = (collection, options) =>
    store.watch(collection, {
      ...options,
      ...(position === undefined ? {} : { resume: position }),
      untilNow: true,
      onBegun(place) {
        position ??= place
        options.onBegun?.(place)
      },
    })
  const respond = querier({
    domains: [domain],
    store: { ...store, watch },
    callerOf: async () => asking,
    addresses: addresses('the secret of a test'),
    waiting: waiting(store, [domain], systemClock),
    clock: systemClock,
    random: () => 0,
    faults: true,
    descriptions: {},
    logger,
    metrics,
  })

  async function ask(): Promise<Answered> {
    try {
      const text = await textOf(await respond(requestTo(url)))
      if (errors.length > 0) throw errors[0]
      return { answer: query.answers === 'live' ? itemsIn(text, isList) : parsed(text) }
    } catch (error) {
      if (error instanceof Problem) return { problem: error }
      throw error
    }
  }

  return {
    ask,
    async connect() {
      if (query.answers === 'live') await ask()
    },
  }
}

/** The address of a question, and the query at that address. */
function resolved(domain: Domain, question: Question): { url: URL; query: Query } {
  const queries = domain.queries.map((query) => ({ method: 'GET', path: query.path, target: query }) as const)
  if ('path' in question) {
    const url = new URL(question.path, 'http://testing')
    return { url, query: router(queries)('GET', url.pathname).target }
  }
  const query = domain.queries.find(({ name }) => name === question.name)
  if (!query) throw new Error(`${domain.name} has no query ${question.name}`)
  const { path, rest } = fillPath(query.path, { ...question.params })
  const url = new URL(path, 'http://testing')
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) url.searchParams.set(name, String(value))
  return { url, query }
}

const requestTo = ({ pathname: path, searchParams: query }: URL): Request => ({
  method: 'GET',
  path,
  query,
  headers: {},
  body: Buffer.alloc(0),
  trace: traceOf({}),
  address: '127.0.0.1',
  signal: never,
  closing: never,
  route: '',
})

async function textOf({ body = '' }: Response): Promise<string> {
  if (typeof body === 'string') return body
  let text = ''
  for await (const chunk of body) text += chunk
  return text
}

/** A whole number may exceed what a number holds. */
function parsed(text: string): Json | bigint {
  const value: Json = JSON.parse(text)
  return typeof value === 'number' && /^-?\d+$/.test(text) && !Number.isSafeInteger(value) ? BigInt(text) : value
}

/** The items of server-sent events. Those of a live list have their kinds. */
function itemsIn(text: string, isList: boolean): Json[] {
  return text.split('\n\n').flatMap((block) => {
    const [, event = 'message'] = /^event: (.*)$/m.exec(block) ?? []
    const [, data] = /^data: (.*)$/m.exec(block) ?? []
    const kind = KINDS.get(event)
    if (kind === undefined || data === undefined) return []
    const item: Json = JSON.parse(data)
    return [isList ? { kind, item } : item]
  })
}

/** Telemetry that keeps the errors which a live query logs instead of throwing them. */
function telemetry(): { logger: Logger; metrics: Metrics; errors: unknown[] } {
  const errors: unknown[] = []
  const ignore = () => {}
  const error = (fields: object) => errors.push('err' in fields ? fields.err : fields)
  const logger = { debug: ignore, info: ignore, warn: ignore, error, fatal: error }
  const metrics = {
    requestDone: ignore,
    batchSize: ignore,
    queueLatency: ignore,
    failed: ignore,
    letterKept: ignore,
    repeated: ignore,
    measureLag: ignore,
    scrape: async () => ({ contentType: 'text/plain', text: '' }),
  }
  return { logger, metrics, errors }
}
