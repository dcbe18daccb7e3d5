import { DatabaseSync } from 'node:sqlite'
import { embeddedStore } from '#adapters/store/embedded.ts'
import { tableOf } from '#adapters/store/embedded-database.ts'
import { mistakesIn } from '#core/checks/mistakes.ts'
import { systemClock } from '#core/clock.ts'
import { collections, events, heads, receipts, streamKey } from '#core/collections.ts'
import { readCollections, viewsOf } from '#core/registry.ts'
import type { Store } from '#core/store.ts'
import { checkEvent } from '#domains/decide-domain.ts'
import type { Command, DecideDomain, Document, Domain, Event, Fields, NewEvent } from '#domains/domain.ts'
import type { Schemas } from '#domains/model.ts'
import { appendApplier } from '#functions/persist/append.ts'
import type { Applier } from '#functions/persist/applier.ts'
import { decideApplier } from '#functions/persist/decide.ts'
import { record } from './recorded-touches.ts'
import { acceptedCommand, type Sent } from './sent-command.ts'

/** An event that happened, as a test states it. */
export interface Past extends NewEvent {
  stream: string
  command?: string
  actor?: string
  time?: string
}

/** What became of a command, without the documents. */
export type Applied = { events: NewEvent[] } | { rejected: string } | { invalid: string }

/** Documents by collection and id. */
export type Documents = { [collection: string]: { [id: string]: Document } }

/** One domain and its documents, for one test. */
export interface World {
  store: Store
  /** Applies a command as publish and persist do. Throws what the domain's code throws. */
  apply(command: Sent): Promise<Applied>
  /** Projects an event that happened. It may touch any document that is free or of its stream. */
  happen(event: Past): Promise<void>
  documents(): Documents
}

const START = Date.UTC(2030, 0, 1)

const sound = new WeakSet<Domain>()

/** Throws for a domain with mistakes that stop a start. */
function assertSound(domain: Domain): void {
  if (sound.has(domain)) return
  const mistakes = mistakesIn({ [domain.name]: domain })
  if (mistakes.length > 0) throw new Error(`Millrace would not start:\n${mistakes.join('\n')}`)
  sound.add(domain)
}

/** Runs `work` with the domain on an empty store in memory. */
export async function inWorld<Result>(domain: Domain, work: (world: World) => Promise<Result>): Promise<Result> {
  assertSound(domain)
  const database = new DatabaseSync(':memory:')
  const store = embeddedStore({ database, describeError: () => undefined, probeWrite() {}, close() {} })
  try {
    await store.prepare(collections([domain]))
    return await work(worldOf(domain, store, database))
  } finally {
    await store.close()
    database.close()
  }
}

function worldOf(domain: Domain, store: Store, database: DatabaseSync): World {
  const parts = { store, clock: systemClock, random: () => 0 }
  const applierOf = (one: Domain): Applier =>
    one.kind === 'decide' ? decideApplier(one, parts) : appendApplier(one, parts)
  let count = 0

  /** The id, the time and the offset of the next command or event. */
  const next = () => {
    const offset = count++
    return { id: `command-${offset + 1}`, time: new Date(START + offset * 1000).toISOString(), offset }
  }

  const keyIn = (stream: string) => streamKey(domain.name, stream)

  async function versionOf(stream: string): Promise<number> {
    if (domain.kind === 'append') return 0
    const head = (await store.get(heads, [keyIn(stream)])).get(keyIn(stream))
    return Number(head?.version ?? 0)
  }

  /** The rejection of a command, which is forgotten, so that a test may use its id again, as after the horizon. */
  async function settle(id: string): Promise<string | undefined> {
    const receipt = (await store.get(receipts, [id])).get(id)
    await store.remove(receipts, [id])
    return receipt?.status === 'rejected' ? String(receipt.reason) : undefined
  }

  async function apply(applier: Applier, command: Command): Promise<Applied> {
    const version = await versionOf(command.stream)
    await applier.applyOne(arrivalOf(domain, command), (work) => work())
    const rejected = await settle(command.id)
    if (rejected !== undefined) return { rejected }
    if (domain.kind === 'append') return { events: [] }
    const range = { from: version + 1 }
    const where = { key: keyIn(command.stream) }
    const added = await store.find(events, { index: 'stream', where, range, limit: 1000 })
    return { events: added.map(({ type, data }) => ({ type: String(type), data: data as Fields })) }
  }

  const documents = (): Documents => {
    const views = new Set(viewsOf(domain).map(({ collection }) => collection))
    const all = readCollections(domain).map((collection) => {
      const read = readAll(database, tableOf(collection), views.has(collection) ? ['generation'] : ['_stream', '_hash'])
      return [collection.name, read] as const
    })
    return Object.fromEntries(all)
  }

  return {
    store,
    documents,
    async apply(sent) {
      const read = acceptedCommand(domain, sent, next())
      return 'invalid' in read ? read : await apply(applierOf(domain), read)
    },
    async happen(past) {
      const decide = withEvents(domain, past)
      const { id, time, offset } = next()
      const { type, data, stream } = past
      const command = { id, time, actor: 'anonymous', offset, scopes: [], ...given(past), type, data, stream }
      const number = (await versionOf(stream)) + 1
      const event: Event = { type, data, stream, number, command: command.id, time: command.time, actor: command.actor }
      const touches = record(decide, event, documents())
      const happening = { ...decide, touches: () => touches, decide: () => ({ events: [{ type, data }] }) }
      await apply(applierOf(happening), command)
    },
  }
}

const given = ({ command, actor, time }: Past) => ({
  ...(command === undefined ? {} : { id: command }),
  ...(actor === undefined ? {} : { actor }),
  ...(time === undefined ? {} : { time }),
})

/** The domain, if it may have the event. */
function withEvents(domain: Domain & { contract?: { events: Schemas } }, { type, data }: Past): DecideDomain {
  if (domain.kind === 'append') throw new Error(`${domain.name} is an append domain, which has no events`)
  if (domain.contract) checkEvent(domain.contract.events, { type, data })
  return domain
}

/** A command as it comes to an applier. Nothing reads the delivery of one that is applied. */
const arrivalOf = (domain: Domain, command: Command) => {
  const delivery = { specversion: '1.0', id: command.id, source: '/testing', type: command.type }
  const received = { domain, command, hash: '', expected: undefined, bytes: 0, delivery, verdict: 'sealed' as const }
  return { received, at: 0 }
}

/** The documents of a table, without the fields that Millrace adds. */
function readAll(database: DatabaseSync, table: string, added: string[]): { [id: string]: Document } {
  const rows = database.prepare(`SELECT body FROM ${table} ORDER BY row`).all() as { body: string }[]
  const all = rows.map(({ body }) => {
    const fields = Object.entries(JSON.parse(body) as Document).filter(([name]) => !added.includes(name))
    return Object.fromEntries(fields) as Document
  })
  return Object.fromEntries(all.map((document) => [document._id, document]))
}
