import { indexOf, type StoredCollection } from '#core/store.ts'
import { type EmbeddedDatabase, quoted, tableName, tableOf } from './embedded-database.ts'

/** The SQL expressions of an index's fields. Any other field is read from the document. */
export function columnOf(collection: StoredCollection, index: string): (field: string) => string {
  const { fields, each } = indexOf(collection, index)
  const isItems = (field: string) => each !== undefined && (fields.includes(field) || field === '_id')
  return (field) => (isItems(field) ? itemColumn(field) : documentColumn(field))
}

/** The FROM clause that reads the documents of an index; `body` is a document. */
export function from(collection: StoredCollection, index: string): string {
  const table = tableOf(collection)
  const { each } = indexOf(collection, index)
  return each === undefined ? table : `${itemsOf(collection, index)} CROSS JOIN ${table} USING (row)`
}

/** Makes an index on the JSON of the documents. An index of a list is a separate table. */
export function makeIndex(database: EmbeddedDatabase, collection: StoredCollection, index: string): void {
  const { fields, each } = indexOf(collection, index)
  if (each === undefined) {
    const columns = [...fields, '_id'].map((field) => documentColumn(field)).join(', ')
    database.exec(`CREATE INDEX IF NOT EXISTS ${nameOf(collection, index)} ON ${tableOf(collection)} (${columns})`)
  } else makeItems(database, collection, index, each)
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
  const columns = [...fields, '_id'].map(itemColumn).join(', ')
  const trigger = (event: string, work: string[], when = '') =>
    `CREATE TRIGGER ${nameOf(collection, `${index} ${event}`)} AFTER ${event} ON ${table} ${when} BEGIN ${work.join(';')}; END`
  const isChanged = fields.map((field) => `old.body -> '$.${field}' IS NOT new.body -> '$.${field}'`).join(' OR ')
  const insert = (document: string, more = '') => {
    const values = [...fields, '_id'].map((field) => (field === each ? 'item.value' : documentColumn(field, document)))
    return `INSERT INTO ${items} SELECT DISTINCT ${document}.row, ${values.join(', ')}
      FROM ${more} json_each(${document}.body, '$.${each}') AS item WHERE item.type NOT IN ('null', 'array', 'object')`
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

const nameOf = ({ name }: StoredCollection, index: string): string => quoted(`${tableName(name)}_${index}`)

const itemsName = ({ name }: StoredCollection, index: string): string => `${tableName(name)}_${index} items`

const itemsOf = (collection: StoredCollection, index: string): string => quoted(itemsName(collection, index))

const itemColumn = (field: string): string => quoted(`item ${field}`)

function documentColumn(field: string, document?: string): string {
  const of = document === undefined ? '' : `${document}.`
  return field === '_id' ? `${of}id` : `json_extract(${of}body, '$.${field}')`
}
