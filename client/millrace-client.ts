/** The typed client: all that there is to import from `millrace/client`. */

export { type ClientOptions, createClient } from './client.ts'
export { Problem } from './problem.ts'
export type {
  AskOptions,
  Client,
  ClientDomain,
  Line,
  ListChange,
  LiveOptions,
  NumberedPage,
  Outcome,
  Page,
  SendOptions,
} from './types.ts'
