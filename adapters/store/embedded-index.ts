import { indexOf } from '#core/indexes.ts'
import type { StoredCollection } from '#core/store.ts'
import { type EmbeddedDatabase, quoted, tableOf } from './embedded-database.ts'
import { documentColumn, indexName, itemColumn, itemsName, itemsOf } from './embedded-find.ts'

/** Makes an index on the JSON of the documents. An index of a list is a separate table. */
export function makeIndex(database: EmbeddedDatabase, collection: StoredCollection, index: string): void {
  const { each } = indexOf(collection, index)
  if (each === undefined) {
    const columns = columnsOf(collection, index)
    database.exec(`CREATE INDEX IF NOT EXISTS ${nameOf(collection, index)} ON ${tableOf(collection)} (${columns})`)
  } else makeItems(database, collection, index, each)
}

/** True if the index that exists has other fields than the declared one, since it is made only once. */
export function differs({ prepared }: EmbeddedDatabase, collection: StoredCollection, index: string): boolean {
  const { each } = indexOf(collection, index)
  const name = indexName(collection, index)
  const rows = prepared('SELECT sql FROM sqlite_schema WHERE name IN (?, ?)').all(name, `${name} INSERT`)
  const made = rows.map(({ sql }) => sql).join()
  const isListed = each === undefined || made.includes(eachItem('new', each))
  return !(isListed && made.includes(`(${columnsOf(collection, index)})`))
}

/**
 * Makes a table with a row for each item of each document. Triggers maintain it, so no write needs to know it. They fire for every
 * write, since an upsert is an insert or an update, never a replacement. A change of other fields leaves the rows unchanged.
 */
function makeItems(database: EmbeddedDatabase, collection: StoredCollection, index: string, each: string): void {
  const known = database.prepared(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`)
  if (known.get(itemsName(collection, index))) return
  const { fields } = indexOf(collection, index)
  const [table, items] = [tableOf(collection), itemsOf(collection, index)]
  const columns = columnsOf(collection, index)
  const trigger = (event: string, work: string[], when = '') =>
    `CREATE TRIGGER ${nameOf(collection, `${index} ${event}`)} AFTER ${event} ON ${table} ${when} BEGIN ${work.join(';')}; END`
  const isChanged = fields.map((field) => `old.body -> '$.${field}' IS NOT new.body -> '$.${field}'`).join(' OR ')
  const insert = (document: string, more = '') => {
    const values = [...fields, '_id'].map((field) => (field === each ? 'item.value' : documentColumn(field, document)))
    return `INSERT INTO ${items} SELECT DISTINCT ${document}.row, ${values.join(', ')}
      FROM ${more} ${eachItem(document, each)} AS item WHERE item.type NOT IN ('null', 'array', 'object')`
  }
  const remove = `DELETE FROM ${items} WHERE row = old.row`
  database.transaction(() => {
    for (const sql of [
      `DROP INDEX IF EXISTS ${nameOf(collection, index)}`,
      `CREATE TABLE ${items} (row INTEGER NOT NULL, ${columns})`,
      `CREATE INDEX ${nameOf(collection, index)} ON ${items} (${columns})`,
      `CREATE INDEX ${nameOf(collection, `${index} row`)} ON ${items} (row)`,
      insert('document', `${table} AS document CROSS JOIN`),
      trigger('INSERT', [insert('new')]),
      trigger('UPDATE', [remove, insert('new')], `WHEN ${isChanged}`),
      trigger('DELETE', [remove]),
    ])
      database.exec(sql)
  })
}

const nameOf = (collection: StoredCollection, index: string): string => quoted(indexName(collection, index))

const eachItem = (document: string, each: string): string => `json_each(${document}.body, '$.${each}')`

/** The columns of an index, with the id as the last. */
function columnsOf(collection: StoredCollection, index: string): string {
  const { fields, each } = indexOf(collection, index)
  const column = each === undefined ? (field: string) => documentColumn(field) : itemColumn
  return [...fields, '_id'].map(column).join(', ')
}
