import type { z } from 'zod'
import type { Guarded } from '#core/access.ts'
import { NDJSON_TYPE } from '#core/media-types.ts'
import { numbering, PAGED } from '#core/paging.ts'
import type { Numbered, Query } from '#domains/query.ts'
import { OPTIONAL } from './guard.ts'
import { answer, nameOf, namesIn, type Operation, parameter, pathParameter, problems, UNCHANGED } from './operation.ts'
import type { Schema, Schemas } from './schemas.ts'

/** What there is to say of a query, whatever it answers. */
export interface Described extends Guarded {
  answers: Query['answers']
  path: string
  name?: string
  summary?: string
  item?: z.ZodType
  params?: z.ZodObject
  /** Open to all, but a caller with a token may be answered more. */
  isPersonal?: true
  numbered?: Numbered
}

/** `tag` is the domain's name; the core has several. */
export function queryOperation(query: Described, tag: string, schemas: Schemas): Operation {
  const { answers, path, name, summary = path } = query
  const operationId = [...(tag === '' ? [] : [tag]), name ?? nameOf('get', path)].join('.')
  const operation = {
    method: 'get' as const,
    path,
    operationId,
    'x-answers': answers,
    ...(query.isPersonal ? { security: OPTIONAL } : {}),
    tags: [tag === '' ? (operationId.split('.', 1)[0] ?? '') : tag],
    summary,
  }
  if (answers === 'fault') return { ...operation, parameters: [], responses: problems(500) }
  return {
    ...operation,
    parameters: parametersOf(query, schemas),
    responses: responsesOf(query, itemOf(query, operationId, schemas)),
  }
}

function itemOf({ item }: Described, name: string, schemas: Schemas): Schema {
  return item ? schemas.answered(`${name}.item`, item) : {}
}

function parametersOf({ path, params, answers, numbered }: Described, schemas: Schemas): object[] {
  const { properties, required } = params ? schemas.members(params) : { properties: {}, required: [] }
  const inPath = namesIn(path)
  const own = Object.entries(properties).filter(([name]) => !inPath.includes(name))
  return [
    ...inPath.map((name) => pathParameter(name, properties[name])),
    ...own.map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema })),
    ...(PAGED.includes(answers) ? [parameter('limit'), parameter('cursor')] : []),
    ...(numbered ? numberingParameters(numbered, schemas) : []),
    parameter('after'),
    ...(isTagged(answers) ? [parameter('If-None-Match')] : []),
    ...(answers === 'live' ? [parameter('Last-Event-ID')] : []),
  ]
}

const NUMBERING: { [name: string]: string } = {
  page: 'The number of a page, from 0: the answer then has totals. Not together with `limit` and `cursor`; 422 beyond item 10,000.',
  size: 'The number of items in such a page, 20 unless said.',
  sort: 'The order by its name; ascending unless said.',
}

const numberingParameters = ({ sorts }: Numbered, schemas: Schemas): object[] =>
  Object.entries(schemas.members(numbering(Object.keys(sorts))).properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    description: NUMBERING[name],
    schema,
  }))

/** A stream has no tag, since it is not known before its end; a total is as short as its tag. */
const isTagged = (answers: Query['answers']): boolean => !['all', 'total', 'live'].includes(answers)

function responsesOf({ answers, path, numbered }: Described, item: Schema) {
  const isNamed = answers === 'view' || namesIn(path).length > 0
  const statuses = [400, ...(isNamed ? [404] : []), 410, 422, 503]
  const content = contentOf(answers, item, numbered !== undefined)
  return {
    200: isTagged(answers) ? answer('OK', content, ['ETag']) : answer('OK', content),
    ...(isTagged(answers) ? { 304: UNCHANGED } : {}),
    ...problems(...statuses),
  }
}

function contentOf(answers: Query['answers'], item: Schema, isNumbered: boolean): { [type: string]: Schema } {
  switch (answers) {
    case 'page':
    case 'history':
      return {
        'application/json': isNumbered ? { oneOf: [pageOf(item), numberedPageOf(item)] } : pageOf(item),
        [NDJSON_TYPE]: LINES,
      }
    case 'all':
      return { 'application/json': { type: 'array', items: item } }
    case 'count':
      return { 'application/json': listOf(item) }
    case 'live':
      return { 'text/event-stream': EVENTS }
    case 'total':
      return { 'application/json': { type: 'integer', description: 'Exact, at any size.' } }
    default:
      return { 'application/json': item }
  }
}

const LINES: Schema = {
  type: 'string',
  description: 'All that the page begins, one item a line; `cursor` is where a line stands.',
}

const EVENTS: Schema = {
  type: 'string',
  description:
    'Server-sent events, an item in the `data` of each. `begun`: from here on nothing is missed; `reset`: what came while the client was away has to be read anew.',
}

const listOf = (items: Schema): Schema => ({
  type: 'object',
  properties: { items: { type: 'array', items } },
  required: ['items'],
})

const pageOf = (items: Schema): Schema => ({
  type: 'object',
  properties: {
    items: { type: 'array', items },
    next: { type: ['string', 'null'], description: 'The cursor of the next page; null: this is the last one.' },
  },
  required: ['items', 'next'],
})

/** With `page` or `size`. */
const numberedPageOf = (items: Schema): Schema => ({
  type: 'object',
  properties: {
    items: { type: 'array', items },
    page: { type: 'integer', minimum: 0 },
    size: { type: 'integer', minimum: 1 },
    total: { type: 'integer', minimum: 0, description: 'The number of items, as far as they were counted.' },
    isTotalExact: { type: 'boolean', description: 'false: there may be more than `total`. Cursors lead to all.' },
    totalPages: { type: 'integer', minimum: 0 },
  },
  required: ['items', 'page', 'size', 'total', 'isTotalExact', 'totalPages'],
})
