import type { z } from 'zod'
import type { Query } from '#domains/query.ts'
import type { Guarded } from '../access.ts'
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
}

const PAGED = ['page', 'history']
const NDJSON = 'application/x-ndjson'

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

function parametersOf({ path, params, answers }: Described, schemas: Schemas): object[] {
  const { properties, required } = params ? schemas.members(params) : { properties: {}, required: [] }
  const inPath = namesIn(path)
  const own = Object.entries(properties).filter(([name]) => !inPath.includes(name))
  return [
    ...inPath.map((name) => pathParameter(name, properties[name])),
    ...own.map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema })),
    ...(PAGED.includes(answers) ? [parameter('limit'), parameter('cursor')] : []),
    parameter('after'),
    ...(isTagged(answers) ? [parameter('If-None-Match')] : []),
    ...(answers === 'live' ? [parameter('Last-Event-ID')] : []),
  ]
}

/** A stream has no tag, since it is not known before its end; a total is as short as its tag. */
const isTagged = (answers: Query['answers']): boolean => !['all', 'total', 'live'].includes(answers)

function responsesOf({ answers, path }: Described, item: Schema) {
  const statuses = [400, 404, 410, 422, 503].filter(
    (status) => status !== 404 || answers === 'view' || namesIn(path).length > 0,
  )
  return {
    200: isTagged(answers) ? answer('OK', contentOf(answers, item), ['ETag']) : answer('OK', contentOf(answers, item)),
    ...(isTagged(answers) ? { 304: UNCHANGED } : {}),
    ...problems(...statuses),
  }
}

function contentOf(answers: Query['answers'], item: Schema): { [type: string]: Schema } {
  switch (answers) {
    case 'page':
    case 'history':
      return { 'application/json': pageOf(item), [NDJSON]: LINES }
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
