import { z } from 'zod'
import { Problem } from '#adapters/host/http.ts'
import type { Fields } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { paging } from '../paging.ts'
import { refusalOf } from '../refusal.ts'
import type { Asking } from './answer.ts'
import { misreadIn } from './forms.ts'

/** As much of a query as says what it takes. */
export interface Taking {
  answers: Query['answers']
  params?: z.ZodObject
}

export type Given = Record<string, string | undefined>

const PAGED = ['page', 'history']
const WITH_PARAMS = [...PAGED, 'view', 'live', 'count']

/**
 * Throws with every wrong parameter by name: 422 where all of them are written in a form that their type does not have (see `misreadIn`), else 400. Of a query that takes parameters an unknown one is wrong too. What stands in the
 * path is checked like the rest, or, where `params` does not tell of it, a string as it is.
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

  const ofPage = only(given, isPaging)
  const ofQuery = { ...only(given, (name) => !isPaging(name)), ...only(path, isDeclared) }
  const page = paging.safeParse(ofPage)
  const own = schema.strict().safeParse(ofQuery)
  const ofForm = [misreadIn(paging, ofPage), misreadIn(schema, ofQuery)]
  if (page.success && own.success && ofForm.flat().length === 0) {
    const { limit, cursor } = page.data
    return { limit, cursor, params: { ...path, ...own.data } as Fields }
  }
  const issues = [page, own].flatMap(({ error }, at) => {
    const misread = ofForm[at] ?? []
    const isNew = ({ path }: z.core.$ZodIssue) => misread.every((other) => other.path[0] !== path[0])
    return [...misread, ...(error?.issues ?? []).filter(isNew)]
  })
  const { errors, detail } = refusalOf(new z.ZodError(issues))
  const isMisread = issues.length === ofForm.flat().length
  const [status, title] = isMisread ? ([422, 'Invalid parameters'] as const) : ([400, 'Bad parameters'] as const)
  throw new Problem(status, title, detail, { members: { errors } })
}

const only = (all: Given, isWanted: (name: string) => boolean): Given =>
  Object.fromEntries(Object.entries(all).filter(([name]) => isWanted(name)))
