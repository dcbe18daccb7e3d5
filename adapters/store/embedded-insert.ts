import { countsFrom, type StoredCollection } from '#core/store.ts'
import type { Document } from '#domains/domain.ts'
import { type EmbeddedDatabase, tableOf } from './embedded-database.ts'

export interface InsertResult {
  /** The ids that existed before. */
  present: Set<string>
  /** Why a document can't be stored, by its id. */
  refused: Map<string, string>
}

/** Inserts the documents whose ids are new, in one transaction. */
export function insertInto(
  { prepared, transaction, isOutage }: EmbeddedDatabase,
  collection: StoredCollection,
  documents: Document[],
): InsertResult {
  const present = new Set<string>()
  const refused = new Map<string, string>()
  if (documents.length === 0) return { present, refused }
  const statement = prepared(
    `INSERT INTO ${tableOf(collection)} (id, at, body) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  )
  const now = Date.now()
  transaction(() => {
    for (const document of documents) {
      try {
        const at = countsFrom(document, collection, now)
        const { changes } = statement.run(document._id, at, JSON.stringify(document))
        if (changes === 0) present.add(document._id)
      } catch (error) {
        if (isOutage(error)) throw error
        refused.set(document._id, (error as Error).message)
      }
    }
  })
  return { present, refused }
}
