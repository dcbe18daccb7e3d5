import type { z } from 'zod'
import type { Restriction } from '#core/access.ts'
import { NDJSON_TYPE } from '#core/media-types.ts'
import { numbering, PAGED } from '#core/paging.ts'
import { namesIn } from '#core/request.ts'
import type { Numbered, Query } from '#domains/query.ts'
import { OPTIONAL } from './guard.ts'
import { nameOf, type Operation, parameter, pathParameter, problems, response, UNCHANGED } from './operation.ts'
import type { Schema, Schemas } from './schemas.ts'

/** The members of a query that its description needs. */
export interface QueryDescription extends Restriction {
  answers: Query['answers']
  path: string
  name?: string
  summary?: string
  item?: z.ZodType
  params?: z.ZodObject
  /** True if the answer may depend on the caller, so that a token is useful even if none is required. */
  isPersonal?: boolean
  numbered?: Numbered
  /** True for a live query that follows a list. */
  isLiveList?: boolean
}

/** The operation of a query. `tag` is the domain's name, or empty for a query that belongs to none. */
export function queryOperation(query: QueryDescription, tag: string, schemas: Schemas): Operation {
  const { answers, path, name, summary = path } = query
  const operationId = [...(tag === '' ? [] : [tag]), name ?? nameOf('get', path)].join('.')
  const operation = {
    method: 'get' as const,
    path,
    operationId,
    // A total with a schema is read like any other answer. Without one it is an integer that may exceed what a number holds.
    'x-answers': answers === 'total' && query.item ? 'composed' : answers,
    ...(query.isLiveList ? { 'x-live-list': true } : {}),
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

function itemOf({ item }: QueryDescription, name: string, schemas: Schemas): Schema {
  return item ? schemas.output(`${name}.item`, item) : {}
}

function parametersOf({ path, params, answers, numbered }: QueryDescription, schemas: Schemas): object[] {
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
  page: 'The number of the page, from 0. The answer then has totals. Excludes `limit` and `cursor`. Beyond item 10,000 it is 422.',
  size: 'The number of items on a numbered page, 20 by default.',
  sort: 'The name of an order, ascending by default.',
}

const numberingParameters = ({ sorts }: Numbered, schemas: Schemas): object[] =>
  Object.entries(schemas.members(numbering(Object.keys(sorts))).properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    description: NUMBERING[name],
    schema,
  }))

/** False for a stream, whose tag would be known at its end only, and for a total, which is as short as a tag. */
const isTagged = (answers: Query['answers']): boolean => !['all', 'total', 'live'].includes(answers)

function responsesOf(query: QueryDescription, item: Schema) {
  const { answers, path } = query
  const isNamed = answers === 'composed' || namesIn(path).length > 0
  const statuses = [400, ...(isNamed ? [404] : []), 410, 422, 503]
  const content = contentOf(query, item)
  return {
    200: isTagged(answers) ? response('OK', content, ['ETag']) : response('OK', content),
    ...(isTagged(answers) ? { 304: UNCHANGED } : {}),
    ...problems(...statuses),
  }
}

function contentOf({ answers, numbered, isLiveList }: QueryDescription, item: Schema): { [type: string]: Schema } {
  switch (answers) {
    case 'page':
    case 'history':
      return {
        'application/json': numbered ? { oneOf: [pageOf(item), numberedPageOf(item)] } : pageOf(item),
        [NDJSON_TYPE]: LINES,
      }
    case 'all':
      return { 'application/json': { type: 'array', items: item } }
    case 'count':
      return { 'application/json': listOf(item) }
    case 'live':
      return { 'text/event-stream': isLiveList ? LIST_EVENTS : EVENTS }
    case 'total':
      return { 'application/json': Object.keys(item).length > 0 ? item : TOTAL }
    default:
      return { 'application/json': item }
  }
}

const TOTAL: Schema = { type: 'integer', description: 'The total, exact at any size.' }

const LINES: Schema = {
  type: 'string',
  description:
    'The list from the start of the page to its end, one item a line. The `cursor` of a line resumes after it.',
}

const EVENTS: Schema = {
  type: 'string',
  description:
    'Server-sent events with an item as `data`. `begun`: from here on nothing is missed. `reset`: the client must read again, since the items of an interruption are no longer known.',
}

const LIST_EVENTS: Schema = {
  type: 'string',
  description: `${EVENTS.description} An item that enters the list is a \`message\`. The event \`changed\` has an item that is on the list, as it is now. The event \`removed\` has the last item of what leaves the list.`,
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
    next: { type: ['string', 'null'], description: 'The cursor of the next page, or null on the last page.' },
  },
  required: ['items', 'next'],
})

/** The answer to a request with `page` or `size`. */
const numberedPageOf = (items: Schema): Schema => ({
  type: 'object',
  properties: {
    items: { type: 'array', items },
    page: { type: 'integer', minimum: 0 },
    size: { type: 'integer', minimum: 1 },
    total: { type: 'integer', minimum: 0, description: 'The number of items that were counted.' },
    isTotalExact: {
      type: 'boolean',
      description: 'False if there may be more items than `total`. Cursors lead to all of them.',
    },
    totalPages: { type: 'integer', minimum: 0 },
  },
  required: ['items', 'page', 'size', 'total', 'isTotalExact', 'totalPages'],
})
