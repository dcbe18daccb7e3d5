import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import { changeRecord } from '#core/changes.ts'
import { systemClock } from '#core/clock.ts'
import { changes, collections } from '#core/collections.ts'
import { addresses } from '#core/receipts.ts'
import { type Request, traceOf } from '#core/request.ts'
import type { Store } from '#core/store.ts'
import { waiting } from '#core/waiting.ts'
import type { Collection, DecideDomain, Document } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { type QuerierParts, querier } from '#functions/query/querier.ts'
import { anybody } from './auth/anybody.ts'
import { quiet } from './telemetry.ts'

export const notes: Collection = {
  name: 'notes',
  indexes: {
    time: { fields: ['time'] },
    author: { fields: ['author', 'time'] },
    level: { fields: ['author', 'level', 'time'] },
  },
}
export const authors: Collection = { name: 'authors', indexes: { name: { fields: ['name'] } } }

/** A domain with these queries, whose documents a test writes itself. */
export const readingDomain = (...queries: Query[]): DecideDomain => ({
  kind: 'decide',
  name: 'reading',
  topic: { name: 'reading', partitions: 1 },
  ordering: 'unordered',
  commands: {},
  collections: [notes, authors],
  touches: () => [],
  decide: () => ({ events: [] }),
  project: () => [],
  queries,
})

/** The state of a test, which is new for each one. */
export const world = { store: undefined as unknown as Store }

let dir: string
let file: ReturnType<typeof openFile>

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'reading-'))
  file = openFile(dir)
  world.store = embeddedStore(file)
  await world.store.prepare([...collections([readingDomain()]), changes])
})

afterEach(async () => {
  await world.store.close()
  file.close()
  rmSync(dir, { recursive: true })
})

export const put = (collection: Collection, documents: Document[]) =>
  world.store.commit([{ collection, put: documents }])

/** Records new documents, as persist does for a live list. */
export const insertForList = ({ name: collection }: Collection, documents: Document[]) =>
  world.store.insert(
    changes,
    documents.map((after) => changeRecord(after._id, { collection, before: undefined, after }) as Document),
  )

/** A client of these queries, which reads bodies as text or parsed. */
export function asking(queries: Query[], changes: Partial<QuerierParts> = {}) {
  const domains = [readingDomain(...queries)]
  const { store } = world
  const query = querier({
    ...quiet(),
    domains,
    callerOf: anybody,
    store,
    addresses: addresses('a secret of this test'),
    waiting: waiting(store, domains, systemClock),
    clock: systemClock,
    random: Math.random,
    faults: false,
    descriptions: {},
    ...changes,
  })
  const never = new AbortController().signal
  const respond = (url: string, headers = {}, { signal = never, closing = never } = {}) => {
    const { pathname: path, searchParams } = new URL(url, 'http://test')
    const request = {
      method: 'GET',
      path,
      query: searchParams,
      headers,
      address: '127.0.0.1',
      signal,
      closing,
      trace: traceOf({}),
      route: '',
    }
    return query(request as unknown as Request)
  }
  async function text(url: string, headers = {}): Promise<string> {
    const { body = '' } = await respond(url, headers)
    return typeof body === 'string' ? body : await joined(body)
  }
  const get = async <Body>(url: string, headers = {}): Promise<Body> => JSON.parse(await text(url, headers)) as Body
  return { respond, text, get }
}

async function joined(chunks: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const chunk of chunks) text += chunk
  return text
}
