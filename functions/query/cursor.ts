import { Problem } from '#core/problem.ts'
import type { Document, Json } from '#domains/domain.ts'
import type { List } from './list.ts'

/**
 * A cursor is a position in a list: what is inserted behind it is met, what is inserted before it is not, and nothing is met
 * twice. It says which order it is of, and holds the fields behind those that are fixed, so it fits into each part of a merge.
 */
export function writeCursor(list: List, last: Document): string {
  const position = [orderOf(list), ...list.free.map((field) => last[field] ?? null), last._id]
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

export function readCursor(list: List, cursor: string): Document {
  const position = parse(cursor)
  const [order, ...values] = Array.isArray(position) ? position : []
  const id = values.pop()
  const isScalar = values.every((value) => value === null || typeof value !== 'object')
  if (order !== orderOf(list) || values.length !== list.free.length || typeof id !== 'string' || !isScalar) {
    throw new Problem(400, 'Bad cursor', 'The cursor is not one of this list. Begin again without a cursor.')
  }
  return { ...Object.fromEntries(list.free.map((field, at) => [field, values[at] as Json])), _id: id }
}

const orderOf = ({ index, newestFirst }: List): string => `${newestFirst ? '-' : ''}${index}`

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
