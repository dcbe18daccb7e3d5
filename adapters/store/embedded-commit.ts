import { countsFrom } from '#core/indexes.ts'
import { Conflict, Refused, type Write } from '#core/store.ts'
import type { Document } from '#domains/domain.ts'
import { type EmbeddedDatabase, tableOf } from './embedded-database.ts'

type Changes = { changes: number | bigint }

/** Does all writes in one transaction. */
export function commitTo(database: EmbeddedDatabase, writes: Write[]): void {
  database.transaction(() => {
    for (const write of writes) writeOne(database, write)
  })
}

function writeOne({ prepared, isOutage }: EmbeddedDatabase, write: Write): void {
  const { collection, insert = [], put = [], remove = [], swap = [], own = [], disown = [] } = write
  const table = tableOf(collection)
  const now = Date.now()
  const at = (document: Document) => countsFrom(document, collection, now)
  const upsert = `INSERT INTO ${table} (id, at, body) VALUES (?, ?, ?) ON CONFLICT (id)`
  const inserting = prepared(`${upsert} DO NOTHING`)
  const putting = prepared(`${upsert} DO UPDATE SET at = excluded.at, body = excluded.body`)
  const swapping = prepared(
    `UPDATE ${table} SET at = ?, body = ? WHERE id = ? AND json_extract(body, '$.generation') = ?`,
  )
  const isOwn = "(json_extract(body, '$._stream') IS NULL OR json_extract(body, '$._stream') = ?)"
  const owning = prepared(`${upsert} DO UPDATE SET at = excluded.at, body = excluded.body WHERE ${isOwn}`)
  const disowning = prepared(`DELETE FROM ${table} WHERE id = ? AND ${isOwn}`)
  const removing = prepared(`DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`)

  removing.run(JSON.stringify(remove))
  for (const document of disown) first(document, (id) => disowning.run(id, document._stream))
  for (const document of own) first(document, (id, body) => owning.run(id, at(document), body, document._stream))
  for (const document of put) written(document, (id, body) => putting.run(id, at(document), body))
  for (const document of insert) first(document, (id, body) => inserting.run(id, at(document), body))
  for (const document of swap) {
    const { generation } = document
    first(document, (id, body) =>
      generation === 1 ? inserting.run(id, at(document), body) : swapping.run(at(document), body, id, generation - 1),
    )
  }

  function first(document: Document, run: (id: string, body: string) => Changes): void {
    const { changes } = written(document, run)
    if (changes === 0) throw new Conflict(`store: another writer was first with ${document._id} of ${collection.name}`)
  }

  function written(document: Document, run: (id: string, body: string) => Changes): Changes {
    try {
      return run(document._id, JSON.stringify(document))
    } catch (cause) {
      if (isOutage(cause)) throw cause
      throw new Refused(new Map([[document._id, (cause as Error).message]]), { cause })
    }
  }
}
