/** The contract of domains: all that a domain may import from `millrace`. */

export { appendDomain, type TopicOf } from './append-domain.ts'
export { decideDomain, defineCommands, defineViews } from './decide-domain.ts'
export type {
  AppendDomain,
  Caller,
  DecideDomain,
  Domain,
  Fields,
  GrpcCall,
  Json,
  RecordCodec,
  Route,
} from './domain.ts'
export type {
  ChangeOf,
  Collections,
  CommandOf,
  DecisionOf,
  DocumentOf,
  DocumentsOf,
  EventOf,
  NewEventOf,
  ProjectionOf,
  ProjectionsOf,
  Rejection,
  RuleOf,
  RulesOf,
  TouchOf,
} from './model.ts'
export { bound, utcOf } from './moment.ts'
export type { QueryKinds } from './query-kinds.ts'
export { contains, folded, hasWords, rarestOf, rarestTrigramOf, trigramsOf, wordsOf } from './words.ts'
