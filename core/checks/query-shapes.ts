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
const withParams = {
  ...base,
  item: optional(schema),
  params: optional(objectSchema),
  organisation: optional(rule('(params) => organisation')),
  parent: optional(object),
}
const from = optional(text)
const chosen = either(text, rule('(params, caller) => name'))
const lookup = {
  index: chosen,
  where: optional(rule('(params, caller) => fields')),
  range: optional(rule('(params, caller) => range')),
}
const shape = rule('(document, asked) => item')
const answers = text

type QueryShapes = { [Kind in Query['answers']]: Shape<Extract<Query, { answers: Kind }>> }

const shapes = {
  page: {
    ...withParams,
    ...lookup,
    answers,
    from: optional(chosen),
    newestFirst: optional(either(flag, rule('(params, caller) => boolean'))),
    numbered: optional(object),
    keep: optional(rule('(document, params, caller) => boolean')),
    join: optional(rule('(document, documents, params, caller) => touches')),
    shape,
  },
  one: { ...withParams, answers, from, shape },
  composed: {
    ...withParams,
    answers,
    touches: rule('(params, caller, documents) => touches'),
    answer: rule('(documents, params, caller) => answer'),
  },
  all: { ...withParams, ...lookup, answers, from, shape },
  history: {
    ...withParams,
    answers,
    stream: rule('(params, caller) => stream'),
    shape: rule('(event, asked) => item'),
  },
  live: {
    ...withParams,
    answers,
    of: either(object, { what: '"events"', is: (value) => value === 'events' }),
    keep: rule('(document, params, caller) => boolean'),
    shape,
  },
  count: {
    ...withParams,
    ...lookup,
    answers,
    from,
    by: rule('(params, caller) => groups'),
    shape: rule('(group, count, asked) => item'),
  },
  total: {
    ...withParams,
    answers,
    from,
    key: optional(rule('(params, caller) => key')),
    total: rule('(slots) => text'),
  },
  fault: { ...base, answers },
} satisfies QueryShapes

/** The members of each kind of query, by its `answers`. */
export const QUERIES: { [answers: string]: { [member: string]: Form } } = shapes
