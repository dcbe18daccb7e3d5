import type { Json } from '#domains/domain.ts'
import { type Find, scalar } from './store.ts'

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const column = (field: string): string => `json_extract(body, '$.${field}')`

type Bindable = string | number | null

interface Condition {
  sql: string
  /** How many of the index's first columns it fixes. */
  fixed: number
  values: Bindable[]
}

/**
 * What lies behind the last document, as ranges of the index in its order. One comparison of rows would be shorter, but
 * SQL finds nothing behind a null.
 */
export function rangesOf(fields: string[], { after, where = {}, newestFirst }: Find): Condition[] {
  if (!after) return [{ sql: 'TRUE', fixed: 0, values: [] }]
  const keys = [
    ...fields.map((field) => [column(field), bindable(after[field] ?? null)] as const),
    ['id', after._id] as const,
  ]
  const ranges: Condition[] = []
  for (const [at, [by, value]] of [...keys.entries()].reverse()) {
    if (fields[at] !== undefined && fields[at] in where) continue
    const before = keys.slice(0, at)
    const add = (condition: string, values: Bindable[] = [], fixed = at) =>
      ranges.push({
        sql: [...before.map(([by]) => `${by} IS ?`), condition].join(' AND '),
        fixed,
        values: [...before.map(([, value]) => value), ...values],
      })
    if (value === null) {
      if (!newestFirst) add(`${by} IS NOT NULL`)
    } else if (newestFirst) {
      add(`${by} < ?`, [value])
      if (by !== 'id') add(`${by} IS NULL`, [], at + 1)
    } else add(`${by} > ?`, [value])
  }
  return ranges
}

/**
 * A keyset page: equality on a prefix of the index, and a range of it; the limit is the last value. It is ordered by the
 * columns that are not fixed, since SQLite sorts by itself when it is told of the others too.
 */
export function findSql(table: string, fields: string[], { where = {}, newestFirst }: Find, range: Condition) {
  const equal = Object.entries(where)
  const conditions = [...equal.map(([field]) => `${column(field)} IS ?`), range.sql].join(' AND ')
  const free = fields.slice(Math.max(equal.length, range.fixed))
  const order = [...free.map(column), 'id'].map((by) => `${by} ${newestFirst ? 'DESC' : 'ASC'}`).join(', ')
  return {
    sql: `SELECT body FROM ${table} WHERE ${conditions} ORDER BY ${order} LIMIT ?`,
    values: [...equal.map(([, value]) => bindable(value)), ...range.values],
  }
}

function bindable(value: Json): Bindable {
  const bound = scalar(value)
  return typeof bound === 'boolean' ? Number(bound) : bound
}
