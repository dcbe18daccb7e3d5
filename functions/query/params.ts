import { z } from 'zod'
import { toFieldErrors } from '#core/field-errors.ts'
import { numbering, paging, USUAL_SIZE } from '#core/paging.ts'
import { Problem } from '#core/problem.ts'
import type { Fields } from '#domains/domain.ts'
import type { Numbered, Query } from '#domains/query.ts'
import type { Asking } from './answer.ts'
import { misreadIn } from './forms.ts'

/** As much of a query as says what it takes. */
export interface Taking {
  answers: Query['answers']
  params?: z.ZodObject
  numbered?: Numbered
}

export type Given = Record<string, string | undefined>

type Read = Pick<Asking, 'params' | 'limit' | 'cursor' | 'numbering' | 'newestFirst'>

const PAGED = ['page', 'history']
const WITH_PARAMS = [...PAGED, 'view', 'live', 'count']

/**
 * Throws with every wrong parameter by name: 422 where all of them are written in a form that their type does not have (see
 * `misreadIn`), else 400. Of a query that takes parameters an unknown one is wrong too. What stands in the path is checked like
 * the rest, or, where `params` does not declare it, a string as it is.
 */
export function readParams(taking: Taking, path: Given, behind: URLSearchParams): Read {
  const { answers, params, numbered } = taking
  const { after: _, ...given } = WITH_PARAMS.includes(answers) ? Object.fromEntries(behind) : {}
  const schema = params ?? NONE
  const numbers = numbered ? numbersOf(numbered) : NONE
  const isPaging = (name: string) => PAGED.includes(answers) && Object.hasOwn(paging.shape, name)
  const isNumbering = (name: string) => Object.hasOwn(numbers.shape, name)
  const isDeclared = (name: string) => Object.hasOwn(schema.shape, name)
  const isOwn = (name: string) => !isPaging(name) && !isNumbering(name)

  const ofPage = only(given, isPaging)
  const ofNumber = only(given, isNumbering)
  const ofQuery = { ...only(given, isOwn), ...only(path, isDeclared) }
  const page = paging.safeParse(ofPage)
  const number = numbers.safeParse(ofNumber)
  const own = schema.strict().safeParse(ofQuery)
  const sorted = number.success ? sortOf(number.data, numbered) : {}
  const clashes = clashesOf(given, numbered && (given.page ?? given.size) !== undefined, sorted.params)
  const misread = [misreadIn(paging, ofPage), misreadIn(numbers, ofNumber), misreadIn(schema, ofQuery)]
  if (page.success && number.success && own.success && clashes.length + misread.flat().length === 0) {
    const { limit, cursor } = page.data
    const { newestFirst } = sorted
    return {
      limit,
      cursor,
      params: { ...path, ...own.data, ...sorted.params } as Fields,
      ...numberingOf(number.data),
      ...(newestFirst === undefined ? {} : { newestFirst }),
    }
  }
  const issues = [page, number, own].flatMap(({ error }, at) => {
    const known = misread[at] ?? []
    const isNew = ({ path }: z.core.$ZodIssue) => known.every((other) => other.path[0] !== path[0])
    return [...known, ...(error?.issues ?? []).filter(isNew)]
  })
  const { errors, detail } = toFieldErrors(new z.ZodError([...issues, ...clashes]))
  const isMisread = issues.length + clashes.length === misread.flat().length
  const [status, title] = isMisread ? ([422, 'Invalid parameters'] as const) : ([400, 'Bad parameters'] as const)
  throw new Problem(status, title, detail, { members: { errors } })
}

const NONE = z.object({})

const made = new WeakMap<Numbered, z.ZodObject>()

/** Made once for each query. */
function numbersOf(numbered: Numbered): z.ZodObject {
  const schema = made.get(numbered) ?? numbering(Object.keys(numbered.sorts))
  made.set(numbered, schema)
  return schema
}

type Numbers = Partial<Record<'page' | 'size' | 'sort', unknown>>

/** A page is asked for by its number once its number or its size is said. */
const numberingOf = ({ page, size }: Numbers): Pick<Read, 'numbering'> =>
  page === undefined && size === undefined
    ? {}
    : { numbering: { page: Number(page ?? 0), size: Number(size ?? USUAL_SIZE) } }

/** The parameters that an order stands for, and its direction: ascending unless said. */
function sortOf({ sort }: Numbers, numbered: Numbered | undefined): { params?: Fields; newestFirst?: boolean } {
  if (sort === undefined) return {}
  const [name = '', direction] = String(sort).split(',')
  return { params: numbered?.sorts[name] ?? {}, newestFirst: direction === 'desc' }
}

/** What must not be said together: a page's number and a cursor; an order by its name and by the parameters that it stands for. */
function clashesOf(given: Given, isNumbered = false, sorted: Fields = {}): z.core.$ZodIssue[] {
  const pairs = [
    ...(isNumbered ? Object.keys(paging.shape).map((name) => [name, 'page and size']) : []),
    ...Object.keys(sorted).map((name) => [name, 'sort']),
  ]
  return pairs
    .filter(([name = '']) => given[name] !== undefined)
    .map(([name = '', other]) => ({
      code: 'custom',
      path: [name],
      message: `not together with ${other}`,
      input: given[name],
    }))
}

const only = (all: Given, isWanted: (name: string) => boolean): Given =>
  Object.fromEntries(Object.entries(all).filter(([name]) => isWanted(name)))
