import { z } from 'zod'
import { Problem, type Request } from '#adapters/host/http.ts'
import type { Document, Fields, Json } from '#domains/domain.ts'
import type { PageQuery } from '#domains/query.ts'
import { refusalOf } from '../refusal.ts'

export const DEFAULT_LIMIT = 50
export const MAX_LIMIT = 1000

const common = z.object({
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  cursor: z.string().optional(),
  after: z.string().optional(),
})

export interface PageParams {
  limit: number
  cursor: string | undefined
  own: Fields
}

/** Throws 400 with every wrong parameter by name; an unknown parameter is wrong too. */
export function readParams(request: Request, query: Pick<PageQuery, 'params'>): PageParams {
  const schema = common.extend(query.params?.shape ?? {}).strict()
  const given = Object.fromEntries(request.query)
  const result = schema.safeParse(given)
  if (!result.success) {
    const { errors, detail } = refusalOf(result.error)
    throw new Problem(400, 'Bad parameters', detail, { members: { errors } })
  }
  const { limit, cursor, after: _, ...own } = result.data as z.infer<typeof common>
  return { limit, cursor, own }
}

/**
 * A cursor is the position of the last document of a page in its index: what is inserted behind it is met, what is
 * inserted before it is not, and nothing is met twice.
 */
export function writeCursor(last: Document, index: string, fields: string[]): string {
  const position = [index, ...fields.map((field) => last[field] ?? null), last._id]
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

export function readCursor(cursor: string, index: string, fields: string[]): Document {
  const position = parse(cursor)
  const [name, ...values] = Array.isArray(position) ? position : []
  const id = values.pop()
  const isScalar = values.every((value) => value === null || typeof value !== 'object')
  if (name !== index || values.length !== fields.length || typeof id !== 'string' || !isScalar) {
    throw new Problem(400, 'Bad cursor', 'The cursor is not one of this list. Begin again without a cursor.')
  }
  return { ...Object.fromEntries(fields.map((field, at) => [field, values[at] as Json])), _id: id }
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
