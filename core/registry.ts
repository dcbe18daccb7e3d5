import type { Collection, CommandType, Domain } from '#domains/domain.ts'
import { reservedNames } from './collections.ts'
import { ASYNCAPI_PATH, DOCS_PATH, FILE_PATH, OPENAPI_PATH } from './description-paths.ts'
import letters from './letters/domain.ts'
import { RECEIPT_PATH } from './receipts.ts'

/** The collections of a domain. */
export const collectionsOf = (domain: Domain): Collection[] =>
  domain.kind === 'append'
    ? [domain.documents.collection]
    : [...domain.collections, ...(domain.tally ? [domain.tally.collection] : [])]

/** All domains of a Millrace in the order of their names: those of the application, and the letters. Throws if two of them clash. */
export function withLetters(found: Domain[]): Domain[] {
  const all = [...found, letters].sort((one, other) => (one.name < other.name ? -1 : 1))
  refuseClashes(all)
  return all
}

/** Throws if a domain has a collection of Millrace itself, two domains share a name, topic, collection, command, route or method, or if everybody may choose a command's id. */
export function refuseClashes(domains: Domain[]): void {
  const owners = new Map(reservedNames().map((name) => [`collection ${name}`, 'Millrace itself']))
  for (const domain of domains) {
    const claims = [
      `name ${domain.name}`,
      `topic ${domain.topic.name}`,
      ...collectionsOf(domain).map(({ name }) => `collection ${name}`),
      ...Object.keys(domain.commands).map((type) => `command ${type}`),
      ...Object.values(domain.commands).flatMap(({ routes }) => routes.map(({ method, path }) => `${method} ${path}`)),
      ...Object.values(domain.commands).flatMap(({ calls = [] }) => calls.map(({ method }) => `method ${method}`)),
      ...domain.queries.map(({ path }) => `GET ${path}`),
    ]
    for (const [type, { id, scope }] of Object.entries(domain.commands)) {
      if (id && scope === undefined)
        throw new Error(`command ${type} takes its id from the sender, so it must have a scope`)
    }
    for (const claim of claims) {
      const owner = owners.get(claim)
      if (owner) throw new Error(`${claim} belongs to ${owner} and to domain ${domain.name}`)
      owners.set(claim, `domain ${domain.name}`)
    }
  }
}

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
