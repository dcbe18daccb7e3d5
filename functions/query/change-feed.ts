import { changeIn } from '#core/changes.ts'
import { changes } from '#core/collections.ts'
import { type Inserted, ResumeLost, type WatchOptions } from '#core/store.ts'
import type { QueryParts } from './handler.ts'

/**
 * Tells a position in the changes from one in a collection, which a client may have from a version that told inserts only. The two
 * cannot be compared, so the latter leads to a reset.
 */
const PREFIX = 'changes '

/** The records of changes with their documents read, once for all clients. */
export async function* watchChanges(
  store: Pick<QueryParts['store'], 'watch'>,
  { resume, onBegun, ...options }: WatchOptions,
): AsyncGenerator<Inserted> {
  if (resume !== undefined && !resume.startsWith(PREFIX)) throw new ResumeLost(`${resume} is no position in changes`)
  const from = resume === undefined ? {} : { resume: resume.slice(PREFIX.length) }
  const inserts = store.watch(changes, { ...options, ...from, onBegun: (place) => onBegun?.(PREFIX + place) })
  for await (const { document, resume: place } of inserts) {
    const { before = null, after = null, collection } = changeIn(document)
    yield { document: { _id: document._id, collection, before, after }, resume: PREFIX + place }
  }
}
