import { Problem } from '#core/problem.ts'
import type { Document, Json } from '#domains/domain.ts'
import type { IndexScan } from './index-scan.ts'

/**
 * A cursor is a position in the order of a scan. A page after it has every document that is later inserted after the position,
 * none that is inserted before it, and no document twice. A cursor contains the order and the sort fields only, so it fits every
 * filter of a merge.
 */
export function writeCursor(scan: IndexScan, last: Document): string {
  const position = [orderOf(scan), ...scan.sortFields.map((field) => last[field] ?? null), last._id]
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** The sort fields and the id at the cursor. Throws 400 for a cursor of another list. */
export function readCursor(scan: IndexScan, cursor: string): Document {
  const position = parse(cursor)
  const [order, ...values] = Array.isArray(position) ? position : []
  const id = values.pop()
  const isScalar = values.every((value) => value === null || typeof value !== 'object')
  if (order !== orderOf(scan) || values.length !== scan.sortFields.length || typeof id !== 'string' || !isScalar) {
    throw new Problem(400, 'Bad cursor', 'The cursor does not belong to this list. Begin again without a cursor.')
  }
  return { ...Object.fromEntries(scan.sortFields.map((field, at) => [field, values[at] as Json])), _id: id }
}

const orderOf = ({ index, newestFirst }: IndexScan): string => `${newestFirst ? '-' : ''}${index}`

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
