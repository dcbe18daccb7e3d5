import { z } from 'zod'
import { toFieldErrors } from '#core/field-errors.ts'
import { DEFAULT_SIZE, numbering, PAGED, paging } from '#core/paging.ts'
import { Problem } from '#core/problem.ts'
import type { Fields } from '#domains/domain.ts'
import type { Numbered, Query } from '#domains/query.ts'
import type { QueryRequest } from './handler.ts'
import { malformedIn } from './parameter-formats.ts'

/** The members of a query that declare its parameters. */
export interface ParamsDeclaration {
  answers: Query['answers']
  params?: z.ZodObject
  numbered?: Numbered
}

/** Parameters as the client sent them. */
export type RawParams = Record<string, string | undefined>

type ValidParams = Pick<QueryRequest, 'params' | 'limit' | 'cursor' | 'numbering' | 'newestFirst'>

/** The kinds that refuse unknown parameters even if they declare none. */
const STRICT = [...PAGED, 'composed', 'live', 'count']

/** Validates the parameters of a request: those of its path and those of its query string. */
export type ParamsReader = (path: RawParams, search: URLSearchParams) => ValidParams

/**
 * Returns the function that validates the parameters of a query, with schemas that are made once, since making one costs far more than
 * a read. It throws a problem that names every wrong parameter: 422 if all of them are malformed (see `malformedIn`), else 400. A query
 * that takes parameters refuses unknown ones. A parameter of the path that `params` does not declare is a string.
 */
export function paramsReader({ answers, params, numbered }: ParamsDeclaration): ParamsReader {
  const isStrict = STRICT.includes(answers) || params !== undefined
  const schema = params ?? NONE
  const strictSchema = schema.strict()
  const parseOwn = params ? (raw: RawParams) => strictSchema.safeParse(raw) : parserOf(strictSchema)
  const parsePaging = parserOf(paging)
  const numberingSchema = numbered ? numbering(Object.keys(numbered.sorts)) : NONE
  const parseNumbering = parserOf(numberingSchema)
  const isPaging = isNameIn(PAGED.includes(answers) ? paging : NONE)
  const isNumbering = isNameIn(numberingSchema)
  const isDeclared = isNameIn(schema)
  const isOwn = (name: string) => !isPaging(name) && !isNumbering(name)
  const malformedPaging = malformedIn(paging)
  const malformedNumbering = malformedIn(numberingSchema)
  const malformedOwn = malformedIn(schema)

  return function readParams(path, search) {
    const given = isStrict && search.size > 0 ? withoutAfter(search) : NO_PARAMS
    const rawPaging = pick(given, isPaging)
    const rawNumbering = pick(given, isNumbering)
    const rawOwn = params || given !== NO_PARAMS ? { ...pick(given, isOwn), ...pick(path, isDeclared) } : NO_PARAMS
    const page = parsePaging(rawPaging)
    const number = parseNumbering(rawNumbering)
    const own = parseOwn(rawOwn)
    const sort = number.success ? sortOf(number.data, numbered) : {}
    const clashes = clashesOf(given, numbered && (given.page ?? given.size) !== undefined, sort.params)
    const malformed = [malformedPaging(rawPaging), malformedNumbering(rawNumbering), malformedOwn(rawOwn)]
    const isWellFormed = malformed.every((issues) => issues.length === 0)
    if (page.success && number.success && own.success && clashes.length === 0 && isWellFormed) {
      const { limit, cursor } = page.data
      const { newestFirst } = sort
      return {
        limit,
        cursor,
        params: { ...path, ...own.data, ...sort.params } as Fields,
        ...numberingOf(number.data),
        ...(newestFirst === undefined ? {} : { newestFirst }),
      }
    }
    const invalid = [page, number, own].map(({ error }) => error?.issues ?? [])
    throw badParameters(malformed, invalid, clashes)
  }
}

type Issues = z.core.$ZodIssue[]

/** A problem with one issue for each wrong parameter. A malformed parameter is not also reported as invalid. */
function badParameters(malformed: Issues[], invalid: Issues[], clashes: Issues): Problem {
  const issues = invalid.flatMap((found, at) => {
    const known = malformed[at] ?? []
    const isNew = ({ path }: z.core.$ZodIssue) => known.every((other) => other.path[0] !== path[0])
    return [...known, ...found.filter(isNew)]
  })
  const { errors, detail } = toFieldErrors(new z.ZodError([...issues, ...clashes]))
  const isMalformed = issues.length + clashes.length === malformed.flat().length
  const [status, title] = isMalformed ? ([422, 'Invalid parameters'] as const) : ([400, 'Bad parameters'] as const)
  return new Problem(status, title, detail, { members: { errors } })
}

const NONE = z.object({})

/** The one object for no parameters. */
const NO_PARAMS: RawParams = {}

/** Parses by a schema of ours. Its result for no parameters is constant, and is made once, at the first request without any. */
function parserOf<Schema extends z.ZodObject>(schema: Schema) {
  let none: z.ZodSafeParseResult<z.output<Schema>> | undefined
  return (raw: RawParams) => {
    if (raw !== NO_PARAMS) return schema.safeParse(raw)
    none ??= schema.safeParse(raw)
    return none
  }
}

function withoutAfter(search: URLSearchParams): RawParams {
  const { after: _, ...given } = Object.fromEntries(search)
  return given
}

const isNameIn =
  ({ shape }: z.ZodObject) =>
  (name: string): boolean =>
    Object.hasOwn(shape, name)

type NumberingParams = Partial<Record<'page' | 'size' | 'sort', unknown>>

/** The page by number that `page` or `size` asks for. */
const numberingOf = ({ page, size }: NumberingParams): Pick<ValidParams, 'numbering'> =>
  page === undefined && size === undefined
    ? {}
    : { numbering: { page: Number(page ?? 0), size: Number(size ?? DEFAULT_SIZE) } }

/** The parameters that the name of an order stands for, and its direction. The default is ascending. */
function sortOf({ sort }: NumberingParams, numbered: Numbered | undefined): { params?: Fields; newestFirst?: boolean } {
  if (sort === undefined) return {}
  const [name = '', direction] = String(sort).split(',')
  return { params: numbered?.sorts[name] ?? {}, newestFirst: direction === 'desc' }
}

/** An issue for each parameter that excludes another: a cursor and a page number, an order's name and its parameters. */
function clashesOf(given: RawParams, isNumbered = false, sortParams?: Fields): Issues {
  if (!isNumbered && sortParams === undefined) return []
  const pairs = [
    ...(isNumbered ? Object.keys(paging.shape).map((name) => [name, 'page and size']) : []),
    ...Object.keys(sortParams ?? {}).map((name) => [name, 'sort']),
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

function pick(params: RawParams, isWanted: (name: string) => boolean): RawParams {
  if (params === NO_PARAMS) return NO_PARAMS
  const picked = Object.entries(params).filter(([name]) => isWanted(name))
  return picked.length > 0 ? Object.fromEntries(picked) : NO_PARAMS
}
