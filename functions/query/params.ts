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

/**
 * The validated parameters of a query. Throws a problem that names every wrong parameter: 422 if all of them are malformed (see
 * `malformedIn`), else 400. A query that takes parameters refuses unknown ones. A parameter of the path that `params` does not
 * declare is a string.
 */
export function readParams(declaration: ParamsDeclaration, path: RawParams, search: URLSearchParams): ValidParams {
  const { answers, params: schema = NONE, numbered } = declaration
  const isStrict = STRICT.includes(answers) || declaration.params !== undefined
  const { after: _, ...given } = isStrict ? Object.fromEntries(search) : {}
  const numberingSchema = numbered ? numberingSchemaOf(numbered) : NONE
  const isPaging = (name: string) => PAGED.includes(answers) && Object.hasOwn(paging.shape, name)
  const isNumbering = (name: string) => Object.hasOwn(numberingSchema.shape, name)
  const isDeclared = (name: string) => Object.hasOwn(schema.shape, name)
  const isOwn = (name: string) => !isPaging(name) && !isNumbering(name)

  const rawPaging = pick(given, isPaging)
  const rawNumbering = pick(given, isNumbering)
  const rawOwn = { ...pick(given, isOwn), ...pick(path, isDeclared) }
  const page = paging.safeParse(rawPaging)
  const number = numberingSchema.safeParse(rawNumbering)
  const own = schema.strict().safeParse(rawOwn)
  const sort = number.success ? sortOf(number.data, numbered) : {}
  const clashes = clashesOf(given, numbered && (given.page ?? given.size) !== undefined, sort.params)
  const malformed = [
    malformedIn(paging, rawPaging),
    malformedIn(numberingSchema, rawNumbering),
    malformedIn(schema, rawOwn),
  ]
  if (page.success && number.success && own.success && clashes.length + malformed.flat().length === 0) {
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

const numberingSchemas = new WeakMap<Numbered, z.ZodObject>()

/** The schema of a query's numbering, created once. */
function numberingSchemaOf(numbered: Numbered): z.ZodObject {
  const schema = numberingSchemas.get(numbered) ?? numbering(Object.keys(numbered.sorts))
  numberingSchemas.set(numbered, schema)
  return schema
}

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
function clashesOf(given: RawParams, isNumbered = false, sortParams: Fields = {}): Issues {
  const pairs = [
    ...(isNumbered ? Object.keys(paging.shape).map((name) => [name, 'page and size']) : []),
    ...Object.keys(sortParams).map((name) => [name, 'sort']),
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

const pick = (params: RawParams, isWanted: (name: string) => boolean): RawParams =>
  Object.fromEntries(Object.entries(params).filter(([name]) => isWanted(name)))
