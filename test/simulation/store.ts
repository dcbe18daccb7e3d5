import { countedRange, fieldsOf, pageRange } from '#core/indexes.ts'
import { type Inserted, Refused, ResumeLost, type Store } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document, Json } from '#domains/domain.ts'
import { countOf, pageOf, within } from './find.ts'
import type { Entry, Replicas } from './replicas.ts'

/** Executes a call, with or without a simulated latency. Rejects during an outage. */
export type Io = <Result>(what: string, effect: () => Result) => Promise<Result>

/** A depth of nesting that neither BSON nor SQLite allows. */
const MAX_LEVELS = 1000

/** The store port on a replica set. Writes wait for a majority, and reads see only what a majority has. Nothing expires. */
export function simulatedStore(replicas: Replicas, io: Io): Store {
  const closing = new AbortController()
  const call: Io = (what, effect) =>
    closing.signal.aborted ? Promise.reject(new Unavailable('store', 'it is closed')) : io(what, effect)

  const all = (name: string) => [...replicas.read(name).values()].map((text) => JSON.parse(text) as Document)

  async function written<Result>(what: string, write: () => { entry: Entry; result: Result }): Promise<Result> {
    const { entry, result } = await call(what, write)
    await call('confirm', () => replicas.confirm(entry))
    return result
  }

  return {
    prepare: (collections) =>
      call('prepare', () => {
        for (const collection of collections) for (const index in collection.indexes) fieldsOf(collection, index)
      }),

    async insert({ name }, documents) {
      if (documents.length === 0) return new Set()
      const { present, refused } = await written('insert', () => {
        const { texts, refused } = encode(documents)
        return replicas.write((now) => {
          const present = new Set<string>()
          for (const [id, text] of texts) {
            if (now.get(name, id) === undefined) now.set(name, id, text)
            else present.add(id)
          }
          return { present, refused }
        })
      })
      if (refused.size > 0) throw new Refused(refused)
      return present
    },

    async commit(writes) {
      await written('commit', () => {
        const rows = writes.map(({ collection: { name }, insert, put, remove = [], swap, own, disown = [] }) => ({
          name,
          insert: encodeAll(insert),
          put: encodeAll(put),
          remove,
          swap: encodeAll(swap),
          own: encodeAll(own),
          disown,
        }))
        return replicas.write((now) => {
          for (const { name, insert, put, remove, swap, own, disown } of rows) {
            for (const [{ _id, _stream }, text] of own) now.own(name, _id, _stream, text)
            for (const { _id, _stream } of disown) now.own(name, _id, _stream, undefined)
            for (const [{ _id, generation }, text] of swap) now.swap(name, _id, Number(generation), text)
            for (const [{ _id }, text] of put) now.set(name, _id, text)
            for (const [{ _id }, text] of insert) now.insert(name, _id, text)
            for (const id of remove) now.set(name, id, undefined)
          }
        })
      })
    },

    get: ({ name }, ids) =>
      call('get', () => {
        const found = ids.map((id) => [id, replicas.read(name).get(id)] as const)
        return new Map(found.flatMap(([id, text]) => (text === undefined ? [] : [[id, JSON.parse(text) as Document]])))
      }),

    find: (collection, query) =>
      call('find', () => {
        const part = pageRange(collection, query)
        return pageOf(within(all(collection.name), part), part, query)
      }),

    count: (collection, query) =>
      call('count', () => countOf(within(all(collection.name), countedRange(collection, query)), query)),

    async remove({ name }, ids) {
      await written('remove', () =>
        replicas.write((now) => {
          for (const id of ids) now.set(name, id, undefined)
        }),
      )
    },

    async *watch({ name }, { resume, signal, untilNow, onBegun }): AsyncGenerator<Inserted> {
      const end = await call('watch', () => replicas.inserts.length)
      if (resume !== undefined && !(/^\d+$/.test(resume) && Number(resume) <= end)) throw new ResumeLost(resume)
      let at = resume === undefined ? end : Number(resume)
      onBegun?.(String(at))
      while (!signal.aborted) {
        const next = replicas.inserts[at]
        if (!next && untilNow) return
        else if (!next) await replicas.inserted(signal)
        else if (++at && next.name === name) yield { document: JSON.parse(next.text), resume: String(at) }
      }
    },

    async *watchIds(collections) {
      const names = new Set(collections.map(({ name }) => name))
      let at = await call('watch', () => replicas.inserts.length)
      yield []
      while (!closing.signal.aborted) {
        const next = replicas.inserts.slice(at)
        at += next.length
        if (next.length === 0) await replicas.inserted(closing.signal)
        else yield await call('watch', () => next.flatMap(({ name, id }) => (names.has(name) ? [id] : [])))
      }
    },

    ping: () => call('ping', () => undefined),
    async close() {
      closing.abort()
    },
  }
}

/** The documents as text, so that the store shares no objects with its callers. */
function encode(documents: Document[]) {
  const texts: [string, string][] = []
  const refused = new Map<string, string>()
  for (const document of documents) {
    try {
      const text = JSON.stringify(document)
      if (text.length > MAX_LEVELS && levels(document) > MAX_LEVELS) throw new Error('nested too deep')
      texts.push([document._id, text])
    } catch (error) {
      refused.set(document._id, (error as Error).message)
    }
  }
  return { texts, refused }
}

function encodeAll<Kept extends Document>(documents: Kept[] = []): [Kept, string][] {
  const { texts, refused } = encode(documents)
  if (refused.size > 0) throw new Refused(refused)
  return documents.map((document, at) => [document, texts[at]?.[1] as string])
}

const levels = (value: Json): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(levels)) : 0
