import type {
  AppendDomain,
  Collection,
  CommandType,
  DecideDomain,
  Documents,
  GrpcCall,
  Index,
  RecordCodec,
  Route,
  Topic,
  View,
} from '#domains/domain.ts'
import {
  anyText,
  flag,
  isObject,
  list,
  object,
  oneOf,
  optional,
  positive,
  rule,
  type Shape,
  schema,
  text,
  texts,
} from './forms.ts'

/** The members of the parts of a domain, as the contract in domains/domain.ts and domains/query.ts declares them. */

const only = { what: 'true', is: (value: unknown) => value === true }

const domain = {
  name: text,
  topic: object,
  commands: object,
  queries: list,
  roles: optional({
    what: 'an object with a list of scopes for each role',
    is: (value) => isObject(value) && Object.values(value).every(texts.is),
  }),
  kind: oneOf('append', 'decide'),
  /** What appendDomain and decideDomain add, for the client and for tests. */
  contract: optional(object),
}

const append = { ...domain, documents: object } satisfies Shape<AppendDomain>

const decide = {
  ...domain,
  ordering: { ...oneOf('ordered', 'unordered'), isUnread: true },
  collections: list,
  touches: rule('(command) => touches'),
  decide: rule('(command, documents) => decision'),
  project: rule('(event, documents) => changes'),
  views: optional(list),
  declared: optional(object),
} satisfies Shape<DecideDomain>

const anything = optional({ what: 'anything', is: () => true })
const ofEither = Object.fromEntries(Object.keys({ ...append, ...decide }).map((name) => [name, anything]))

/** The members of a domain of each kind. One whose kind is wrong may have those of either. */
export const DOMAIN = { unknown: { ...ofEither, ...domain }, append, decide }

export const DOCUMENTS = {
  collection: object,
  document: rule('(command) => document'),
  retentionDays: optional({
    isUnread: true,
    what: 'a positive number of at most 24855 days',
    is: (value) => typeof value === 'number' && value > 0 && value <= 24_855,
  }),
} satisfies Shape<Documents>

export const VIEW = {
  collection: object,
  zero: object,
  isSlotted: flag,
  keys: rule('(event) => keys'),
  fold: rule('(document, event, key) => document'),
} satisfies Shape<View>

export const TOPIC = {
  name: text,
  partitions: positive,
  record: optional(object),
  plain: optional(text),
} satisfies Shape<Topic>

export const RECORD = {
  contentType: text,
  value: optional(schema),
  encode: rule('(data, command) => value'),
  decode: rule('(value, command) => data'),
  stamped: optional(flag),
} satisfies Shape<RecordCodec>

export const COLLECTION = { name: text, indexes: object } satisfies Shape<Collection>

export const INDEX = { fields: texts, each: optional(text) } satisfies Shape<Index>

export const COMMAND = {
  summary: optional(anyText),
  data: schema,
  scope: optional(text),
  organisation: optional(rule('(data) => organisation')),
  welcome: optional(only),
  stream: rule('(data, id, actor) => stream'),
  id: optional(rule('(data) => id')),
  key: optional(rule('(data) => key')),
  routes: list,
  calls: optional(list),
} satisfies Shape<CommandType>

export const ROUTE = {
  method: oneOf('POST', 'PUT', 'PATCH', 'DELETE'),
  path: text,
  body: oneOf('json', 'text', 'batch', 'none'),
  query: optional(only),
  maxBytes: optional(positive),
  read: optional(rule('(body) => data')),
  text: optional(anyText),
  answer: optional(rule('(data) => object')),
  answered: optional(schema),
  created: optional(text),
} satisfies Shape<Route>

export const CALL = {
  method: text,
  read: rule('(message) => data'),
  answer: rule('(data) => reply'),
} satisfies Shape<GrpcCall>
