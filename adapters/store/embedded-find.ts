import { countedRange, type IndexRange, indexOf, pageRange, scalar } from '#core/indexes.ts'
import type { Count, Find, Range, StoredCollection } from '#core/store.ts'
import type { Json } from '#domains/domain.ts'
import { quoted, tableName, tableOf } from './embedded-database.ts'

type Bindable = string | number | null

interface Condition {
  sql: string
  values: Bindable[]
}

/** A stretch of an index in its order, with the number of free columns that are fixed in it. */
interface Stretch extends Condition {
  fixed: number
}

/**
 * The statements of a keyset page: equality on a prefix of the index, and the documents after the last one, a statement for each stretch of
 * the index. The last two values are the limit and the offset. It is ordered by the columns that are not fixed, since SQLite sorts in memory
 * if the others are listed too.
 */
export function findSql(collection: StoredCollection, query: Find): Condition[] {
  const { index, after, newestFirst = false } = query
  const part = pageRange(collection, query)
  const column = columnOf(collection, index)
  const columns = part.free.map(column)
  return stretchesOf(part, columns, query).map((stretch) => {
    const begins = {
      from: after && (stretch.fixed > 0 || !newestFirst),
      to: after && (stretch.fixed > 0 || newestFirst),
    }
    const { sql, values } = all([...equalities(part, column), ...bounds(part, column, begins), stretch])
    const order = columns.slice(stretch.fixed).map((by) => `${by} ${newestFirst ? 'DESC' : 'ASC'}`)
    const wanted = `SELECT body FROM ${from(collection, index)} WHERE ${sql}`
    return { sql: `${wanted} ORDER BY ${order.join(', ')} LIMIT ? OFFSET ?`, values }
  })
}

/** The statement of a count. Each row is a count and then its key; the last value is the limit. */
export function countSql(collection: StoredCollection, query: Count): Condition {
  const part = countedRange(collection, query)
  const column = columnOf(collection, query.index)
  const keys = query.by.map(({ field, length }): Condition => {
    const by = column(field)
    if (length === undefined) return { sql: by, values: [] }
    return { sql: `CASE typeof(${by}) WHEN 'text' THEN substr(${by}, 1, ?) ELSE ${by} END`, values: [length] }
  })
  const { sql, values } = all([...equalities(part, column), ...bounds(part, column)])
  const names = keys.map((_, at) => `key${at}`)
  const selected = keys.map(({ sql }, at) => `${sql} AS ${names[at]}`).join(', ') || 'NULL'
  const { upTo } = query
  const counted = `SELECT ${selected} FROM ${from(collection, query.index)} WHERE ${sql}${upTo === undefined ? '' : ' LIMIT ?'}`
  return {
    sql: `SELECT ${['count(*)', ...names].join(', ')} FROM (${counted}) GROUP BY ${names.join(', ') || 'NULL'} LIMIT ?`,
    values: [...keys.flatMap(({ values }) => values), ...values, ...(upTo === undefined ? [] : [upTo])],
  }
}

/**
 * The stretches after the last document. One comparison of rows would be shorter, but SQL finds nothing after a null.
 */
function stretchesOf({ free }: IndexRange, columns: string[], { after, newestFirst }: Find): Stretch[] {
  if (!after) return [{ sql: 'TRUE', fixed: 0, values: [] }]
  const keys = free.map((field, at) => [columns[at] as string, bindable(after[field] ?? null)] as const)
  const stretches: Stretch[] = []
  for (const [at, [by, value]] of [...keys.entries()].reverse()) {
    const before = keys.slice(0, at)
    const add = (condition: string, values: Bindable[] = [], fixed = at) =>
      stretches.push({
        sql: [...before.map(([by]) => `${by} IS ?`), condition].join(' AND '),
        fixed,
        values: [...before.map(([, value]) => value), ...values],
      })
    if (value === null) {
      if (!newestFirst) add(`${by} IS NOT NULL`)
    } else if (newestFirst) {
      add(`${by} < ?`, [value])
      if (free[at] !== '_id') add(`${by} IS NULL`, [], at + 1)
    } else add(`${by} > ?`, [value])
  }
  return stretches
}

const equalities = ({ equal }: IndexRange, column: (field: string) => string): Condition[] =>
  equal.map(([field, value]) => ({ sql: `${column(field)} IS ?`, values: [bindable(value)] }))

/** Where the page's start is tighter than a bound, a plus keeps SQLite from searching by that bound. */
function bounds(
  { free: [field], range }: IndexRange,
  column: (field: string) => string,
  begins: { from?: boolean | undefined; to?: boolean | undefined } = {},
): Condition[] {
  if (!range) return []
  const { from, to } = ofOneType(range)
  const by = column(field)
  return [
    ...(from === undefined ? [] : [{ sql: `${begins.from ? '+' : ''}${by} >= ?`, values: [from] }]),
    ...(to === undefined ? [] : [{ sql: `${begins.to ? '+' : ''}${by} < ?`, values: [to] }]),
  ]
}

/** In SQLite all text is greater than all numbers, so a bound on one side would find values of the other type too. */
function ofOneType({ from, to }: Range): Range {
  if (typeof from === 'number') return { from, to: to ?? '' }
  if (typeof to === 'string') return { from: from ?? '', to }
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

const all = (conditions: Condition[]): Condition => ({
  sql: conditions.map(({ sql }) => sql).join(' AND ') || 'TRUE',
  values: conditions.flatMap(({ values }) => values),
})

function bindable(value: Json): Bindable {
  const bound = scalar(value)
  return typeof bound === 'boolean' ? Number(bound) : bound
}

/** The SQL expressions of an index's fields. Any other field is read from the document. */
function columnOf(collection: StoredCollection, index: string): (field: string) => string {
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

export const indexName = ({ name }: StoredCollection, index: string): string => `${tableName(name)}_${index}`

export const itemsName = (collection: StoredCollection, index: string): string =>
  `${indexName(collection, index)} items`

export const itemsOf = (collection: StoredCollection, index: string): string => quoted(itemsName(collection, index))

export const itemColumn = (field: string): string => quoted(`item ${field}`)

export function documentColumn(field: string, document?: string): string {
  const of = document === undefined ? '' : `${document}.`
  return field === '_id' ? `${of}id` : `json_extract(${of}body, '$.${field}')`
}
