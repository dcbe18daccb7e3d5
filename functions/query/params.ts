import { z } from 'zod'
import { Problem } from '#adapters/host/http.ts'
import type { Fields } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { paging } from '../paging.ts'
import { refusalOf } from '../refusal.ts'
import type { Asking } from './answer.ts'

/** As much of a query as says what it takes. */
export interface Taking {
  answers: Query['answers']
  params?: z.ZodObject
}

export type Given = Record<string, string | undefined>

const PAGED = ['page', 'history']
const WITH_PARAMS = [...PAGED, 'view', 'live', 'count']

/**
 * Throws 400 with every wrong parameter by name; of a query that takes parameters an unknown one is wrong too. What stands in
 * the path is checked like the rest, or, where `params` does not tell of it, a string as it is.
 */
export function readParams(
  { answers, params }: Taking,
  path: Given,
  behind: URLSearchParams,
): Pick<Asking, 'params' | 'limit' | 'cursor'> {
  const { after: _, ...given } = WITH_PARAMS.includes(answers) ? Object.fromEntries(behind) : {}
  const schema = params ?? z.object({})
  const isPaging = (name: string) => PAGED.includes(answers) && Object.hasOwn(paging.shape, name)
  const isDeclared = (name: string) => Object.hasOwn(schema.shape, name)

  const page = paging.safeParse(only(given, isPaging))
  const own = schema.strict().safeParse({ ...only(given, (name) => !isPaging(name)), ...only(path, isDeclared) })
  if (page.success && own.success) {
    const { limit, cursor } = page.data
    return { limit, cursor, params: { ...path, ...own.data } as Fields }
  }
  const issues = [page, own].flatMap(({ error }) => error?.issues ?? [])
  const { errors, detail } = refusalOf(new z.ZodError(issues))
  throw new Problem(400, 'Bad parameters', detail, { members: { errors } })
}

const only = (all: Given, isWanted: (name: string) => boolean): Given =>
  Object.fromEntries(Object.entries(all).filter(([name]) => isWanted(name)))
