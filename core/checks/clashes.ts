import type { Domain } from '#domains/domain.ts'
import { events, letters as keptLetters, reservedNames } from '../collections.ts'
import { deadLetters } from '../kafka-source-policy.ts'
import letters from '../letters/domain.ts'
import { collectionsOf, EVENTS_PATH, readPaths } from '../registry.ts'
import { formOf } from './paths.ts'

/** Something that only one part of all domains can have. Two claims with one key clash. */
interface Claim {
  key: string
  owner: string
  /** The thing, with its kind: `topic notes`. */
  what: string
  isRoute?: true
}

const OWN = 'Millrace itself'

/** The routes that no function serves, and the part that serves them. A path that ends with a slash includes all below it. */
const SERVED = [
  { path: '/metrics', by: 'the host' },
  { path: '/health/', by: 'the host' },
  { path: '/oidc', by: 'make dev' },
  { path: '/oidc/', by: 'make dev' },
  { path: '/persist', method: 'POST', by: 'make dev' },
  { path: '/sinks/dead-letters', by: 'make dev' },
]

/** A sentence for each thing that two domains have, a domain has twice, or a domain and Millrace itself have. */
export function clashes(domains: Domain[]): string[] {
  const own = [...ownClaims(), ...claimsOf(letters)].map((claim) => ({ ...claim, owner: OWN }))
  const first = new Map(own.map((claim) => [claim.key, claim]))
  return domains.flatMap(claimsOf).flatMap((claim) => {
    const other = first.get(claim.key)
    if (other) return [sentenceOf(claim, other)]
    first.set(claim.key, claim)
    return claim.isRoute ? unreached(claim) : []
  })
}

function unreached({ key, owner, what }: Claim): string[] {
  const [method, path = ''] = key.split(' ')
  const taken = SERVED.filter((own) => own.method === undefined || own.method === method).find(
    (own) => path === own.path || (own.path.endsWith('/') && path.startsWith(own.path)),
  )
  return taken
    ? [`${owner}: ${what} is not reached, since ${taken.by} serves ${taken.path} itself. Change the path.`]
    : []
}

const sentenceOf = ({ owner, what, isRoute }: Claim, other: Claim): string =>
  isRoute
    ? `${owner}: ${what} matches the same requests as ${other.what} of ${other.owner}. Change one of the paths.`
    : `${owner}: ${what} clashes with ${other.what} of ${other.owner}. Choose another name.`

/** Kafka refuses two topics whose names differ in "." and "_" only. */
const topicClaim = (owner: string, name: string): Claim => ({
  key: `topic ${name.replaceAll('.', '_')}`,
  owner,
  what: `topic ${name}`,
})

/** SQLite keeps tables and indexes under one set of names, in which upper and lower case are the same. */
const tableClaims = (owner: string, name: string, indexes: object = {}): Claim[] => [
  { key: `table ${name.toLowerCase()}`, owner, what: `collection ${name}` },
  ...Object.keys(indexes).map((index) => ({
    key: `table ${name}_${index}`.toLowerCase(),
    owner,
    what: `index ${index} of collection ${name}`,
  })),
]

const routeClaim = (owner: string, part: string, method: string, path: string): Claim => ({
  key: `${method} ${formOf(path)}`,
  owner,
  what: `${part}${method} ${path}`,
  isRoute: true,
})

const ownClaims = (): Claim[] => [
  { key: `domain ${deadLetters.name}`, owner: OWN, what: `the domain ${deadLetters.name}` },
  topicClaim(OWN, deadLetters.name),
  ...reservedNames().flatMap((name) => tableClaims(OWN, name)),
  ...[keptLetters, events].flatMap(({ name, indexes }) => tableClaims(OWN, name, indexes)),
  routeClaim(OWN, '', 'POST', EVENTS_PATH),
  ...readPaths([]).map((path) => routeClaim(OWN, '', 'GET', path)),
]

function claimsOf(domain: Domain): Claim[] {
  const owner = `domain ${domain.name}`
  return [
    { key: owner, owner, what: 'the name' },
    topicClaim(owner, domain.topic.name),
    ...collectionsOf(domain).flatMap(({ name, indexes }) => tableClaims(owner, name, indexes)),
    ...Object.entries(domain.commands).flatMap(([type, { routes, calls = [] }]) => [
      { key: `operation ${type}`, owner, what: `command ${type}` },
      ...routes.map(({ method, path }) => routeClaim(owner, `command ${type}, `, method, path)),
      ...calls.map(({ method }) => ({ key: `method ${method}`, owner, what: `method ${method}` })),
    ]),
    ...domain.queries.flatMap(({ path, name, overview }) => [
      routeClaim(owner, 'query ', 'GET', path),
      ...(name === undefined ? [] : [{ key: `operation ${domain.name}.${name}`, owner, what: `query name ${name}` }]),
      ...(overview ? [{ key: `part ${overview.part}`, owner, what: `overview part ${overview.part}` }] : []),
    ]),
  ]
}
