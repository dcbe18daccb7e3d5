import { type ChangeStreamInsertDocument, type Collection, type Db, MongoServerError, type ResumeToken } from 'mongodb'
import { type Inserted, ResumeLost, type StoredCollection, type WatchOptions } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Document } from '#domains/domain.ts'
import { EXPIRY_START, hasStringId, type StoredDocument } from './mongodb-document.ts'
import { asUnavailable } from './mongodb-errors.ts'

/** The longest time that the server waits before it reports that there are no more inserts. */
const UNTIL_NOW_MS = 10

export async function* watching(
  collection: Collection<StoredDocument>,
  { resume, signal, untilNow = false, onBegun }: WatchOptions,
): AsyncGenerator<Inserted> {
  const token = resume === undefined ? {} : { resumeAfter: parseToken(resume) }
  const waiting = untilNow ? { maxAwaitTimeMS: UNTIL_NOW_MS } : {}
  const stream = collection.watch<StoredDocument, ChangeStreamInsertDocument<StoredDocument>>(
    [{ $match: { operationType: 'insert' } }],
    { ...token, ...waiting },
  )
  let isBegun = false
  const stop = () => void stream.close()
  signal.addEventListener('abort', stop)
  try {
    let first = await stream.tryNext()
    isBegun = true
    if (!first) onBegun?.(JSON.stringify(stream.resumeToken))
    while (!signal.aborted) {
      const change = first ?? (untilNow ? await stream.tryNext() : await stream.next())
      first = null
      if (!change) return
      const { [EXPIRY_START]: _, ...document } = change.fullDocument
      if (hasStringId(document)) yield { document: document as Document, resume: JSON.stringify(change._id) }
    }
  } catch (error) {
    if (signal.aborted) return
    const known = asUnavailable(error)
    const isRefused = resume !== undefined && !isBegun && !(known instanceof Unavailable)
    if (error instanceof MongoServerError && (isRefused || LOST_HISTORY.has(Number(error.code)))) {
      throw new ResumeLost('store: the inserts after the resume token are no longer known', { cause: error })
    }
    throw known
  } finally {
    signal.removeEventListener('abort', stop)
    await stream.close().catch(() => undefined)
  }
}

/**
 * One change stream of all collections, without their documents. The server answers every second, also if it has nothing to tell. Ends
 * when `signal` aborts: the driver leaves a read of a closed client without an answer.
 */
export async function* watchingIds(
  db: Db,
  collections: StoredCollection[],
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  const names = collections.map(({ name }) => name)
  const stream = db.watch<StoredDocument, ChangeStreamInsertDocument<StoredDocument>>([
    { $match: { operationType: 'insert', 'ns.coll': { $in: names } } },
    { $project: { documentKey: 1 } },
  ])
  const stop = () => void stream.close()
  signal.addEventListener('abort', stop)
  try {
    while (!signal.aborted) {
      const change = await stream.tryNext()
      yield change && hasStringId(change.documentKey) ? [change.documentKey._id] : []
    }
  } catch (error) {
    if (!signal.aborted) throw asUnavailable(error)
  } finally {
    signal.removeEventListener('abort', stop)
    await stream.close().catch(() => undefined)
  }
}

/** ChangeStreamFatalError, ChangeStreamHistoryLost, InvalidResumeToken. */
const LOST_HISTORY = new Set([280, 286, 260])

/** Throws for a malformed token. The driver would start at the present without a token, and the gap would be unnoticed. */
function parseToken(resume: string): ResumeToken {
  try {
    const token = JSON.parse(resume)
    if (typeof token?._data !== 'string') throw new Error('it is not a token')
    return token
  } catch (cause) {
    throw new ResumeLost(`store: ${resume} is not a resume token`, { cause })
  }
}
