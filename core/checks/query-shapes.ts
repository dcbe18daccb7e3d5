import type { Query } from '#domains/query.ts'
import {
  anyText,
  either,
  type Form,
  flag,
  object,
  objectSchema,
  optional,
  rule,
  type Shape,
  schema,
  text,
} from './forms.ts'

/** The members of the kinds of queries, as the contract in domains/query.ts declares them. */

const base = {
  path: text,
  scope: optional(text),
  name: optional(text),
  summary: optional(anyText),
  overview: optional(object),
}
const item = { item: optional(schema) }
const withParams = {
  ...base,
  ...item,
  params: optional(objectSchema),
  organisation: optional(rule('(params) => organisation')),
  parent: optional(object),
}
const from = optional(text)
const chosen = either(text, rule('(params) => name'))
const lookup = {
  index: chosen,
  where: optional(rule('(params) => fields')),
  range: optional(rule('(params) => range')),
}
const shape = rule('(document) => item')
const answers = text

type QueryShapes = { [Kind in Query['answers']]: Shape<Extract<Query, { answers: Kind }>> }

const shapes = {
  page: {
    ...withParams,
    ...lookup,
    answers,
    from: optional(chosen),
    newestFirst: optional(either(flag, rule('(params) => boolean'))),
    numbered: optional(object),
    keep: optional(rule('(document, params) => boolean')),
    join: optional(rule('(document, documents) => touches')),
    shape,
  },
  one: { ...base, ...item, answers, from, shape },
  view: {
    ...withParams,
    answers,
    touches: rule('(params, caller, documents) => touches'),
    answer: rule('(documents, params, caller) => answer'),
  },
  all: { ...base, ...item, answers, from, index: text, shape },
  history: { ...withParams, answers, stream: rule('(params) => stream'), shape: rule('(event) => item') },
  live: {
    ...withParams,
    answers,
    of: either(object, { what: '"events"', is: (value) => value === 'events' }),
    keep: rule('(inserted, params) => boolean'),
    shape,
  },
  count: {
    ...withParams,
    ...lookup,
    answers,
    from,
    by: rule('(params) => groups'),
    shape: rule('(group, count) => item'),
  },
  total: { ...base, answers, total: rule('(slots) => text') },
  fault: { ...base, answers },
} satisfies QueryShapes

/** The members of each kind of query, by its `answers`. */
export const QUERIES: { [answers: string]: { [member: string]: Form } } = shapes
