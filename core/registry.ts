import type { z } from 'zod'
import type { Collection, CommandType, Domain, View } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { ASYNCAPI_PATH, DOCS_PATH, FILE_PATH, OPENAPI_PATH } from './description-paths.ts'
import letters from './letters/domain.ts'
import { RECEIPT_PATH } from './receipts.ts'

/** The collections of a domain. */
export const collectionsOf = (domain: Domain): Collection[] =>
  domain.kind === 'append'
    ? [domain.documents.collection]
    : [...domain.collections, ...viewsOf(domain).map(({ collection }) => collection)]

/** The collection that a query reads if it names none: that of a domain which has one. */
export function onlyCollection(domain: Domain): Collection | undefined {
  const [first, ...others] = domain.kind === 'append' ? [domain.documents.collection] : domain.collections
  return others.length === 0 ? first : undefined
}

export const viewsOf = (domain: Domain): View[] => (domain.kind === 'decide' ? (domain.views ?? []) : [])

/** The collections that queries find documents in: all but those of views in slots, which only a total reads. */
export const readCollections = (domain: Domain): Collection[] => {
  const slotted = new Set(viewsOf(domain).flatMap(({ collection, isSlotted }) => (isSlotted ? [collection] : [])))
  return collectionsOf(domain).filter((collection) => !slotted.has(collection))
}

/** The schemas that a domain declares for what is stored, by event type and by collection or view. */
export interface StoredSchemas {
  events: { [type: string]: z.ZodType }
  collections: { [name: string]: { schema?: z.ZodType } }
}

/** The schemas that `appendDomain` and `decideDomain` keep beside what the engine runs. */
export function storedSchemas(domain: Domain): StoredSchemas {
  const { contract } = domain as Domain & { contract?: Partial<StoredSchemas> }
  return { events: contract?.events ?? {}, collections: contract?.collections ?? {} }
}

/** The collection whose changes a live list shows. Events and the documents of an append domain never change. */
export const followedCollection = ({ kind }: Domain, query: Query): string | undefined =>
  kind === 'decide' && query.answers === 'live' && query.of !== 'events' ? query.of.collection : undefined

/** The collections of a domain whose changes are recorded. */
export const followedCollections = (domain: Domain): ReadonlySet<string> =>
  new Set(domain.queries.flatMap((query) => followedCollection(domain, query) ?? []))

/** All domains of a Millrace in the order of their names: those of the application, and the letters. */
export const withLetters = (found: Domain[]): Domain[] =>
  [...found, letters].sort((one, other) => (one.name < other.name ? -1 : 1))

/** The domains with the retentions of RETENTION_DAYS. Throws for a domain that never removes documents. */
export function retaining(domains: Domain[], days: ReadonlyMap<string, number>): Domain[] {
  const unknown = new Set(days.keys())
  const changed = domains.map((domain): Domain => {
    if (domain.kind !== 'append' || domain.documents.retentionDays === undefined) return domain
    unknown.delete(domain.name)
    const retentionDays = days.get(domain.name) ?? domain.documents.retentionDays
    return { ...domain, documents: { ...domain.documents, retentionDays } }
  })
  const [first] = unknown
  if (first !== undefined) throw new Error(`RETENTION_DAYS: no domain named ${first} removes documents`)
  return changed
}

/** The path to which clients send CloudEvents. */
export const EVENTS_PATH = '/'
export const OVERVIEW_PATH = '/api/overview'
export const LETTERS_PATH = '/api/letters'
export const LETTER_PATH = '/api/letters/{id}'
/** The scope that a caller needs to read letters. */
export const LETTERS_SCOPE = 'letters:read'

/** Every path that query serves, except those that fail on purpose. */
export const readPaths = (domains: Domain[]): string[] => [
  RECEIPT_PATH,
  OVERVIEW_PATH,
  LETTERS_PATH,
  LETTER_PATH,
  OPENAPI_PATH,
  ASYNCAPI_PATH,
  DOCS_PATH,
  FILE_PATH,
  ...domains.flatMap(({ queries }) => queries.filter(({ answers }) => answers !== 'fault').map(({ path }) => path)),
]

/** A command type with its domain. */
export interface KnownType {
  domain: Domain
  type: string
  command: CommandType
}

/** All command types by their CloudEvent types. */
export const commandTypes = (domains: Domain[]): Map<string, KnownType> =>
  new Map(
    domains.flatMap((domain) =>
      Object.entries(domain.commands).map(([type, command]) => [type, { domain, type, command }] as const),
    ),
  )
