import type { Caller, Collection, DocumentReader, Domain, Fields, Index, Touch } from '#domains/domain.ts'
import type { AllQuery, CountQuery, PageQuery, Query } from '#domains/query.ts'
import { ANONYMOUS } from '../ids.ts'
import { onlyCollection, readCollections } from '../registry.ts'
import { hint, quoted } from './hints.ts'
import { samplesOf } from './samples.ts'

type Lookup = PageQuery | AllQuery | CountQuery

const isLookup = (query: Query): query is Lookup => ['page', 'all', 'count'].includes(query.answers)

/** A request that a check tries a query with. */
interface Sample {
  params: Fields
  caller: Caller
}

/** A caller without scopes, and one who has each that is asked for. */
const SAMPLE_CALLERS: Caller[] = [new Set<string>(), Object.assign(new Set<string>(), { has: () => true })].map(
  (scopes) => ({ id: ANONYMOUS, scopes }),
)
const NO_DOCUMENTS: DocumentReader = { get: () => undefined }

/** The mistakes in the index, the collection and the filters that a query chooses, for sample requests. */
export function lookupMistakes(place: string, domain: Domain, query: Query): string[] {
  if (!isLookup(query)) return []
  const collections = readCollections(domain)
  return forSamples(query, (request) => {
    const { params, caller } = request
    const from =
      typeof query.from === 'function' ? query.from(params, caller) : (query.from ?? onlyCollection(domain)?.name)
    const collection = collections.find(({ name }) => name === from)
    if (collection) return indexMistakes(place, collection, query, request)
    if (typeof query.from !== 'function') return []
    const names = collections.map(({ name }) => name)
    return [`${place}: from returns "${from}", which is not a collection of the domain.${hint(String(from), names)}`]
  })
}

function indexMistakes(place: string, collection: Collection, query: Lookup, { params, caller }: Sample): string[] {
  const name = typeof query.index === 'function' ? query.index(params, caller) : query.index
  const index = Object.hasOwn(collection.indexes, name) ? collection.indexes[name] : undefined
  if (!index) {
    const known = Object.keys(collection.indexes)
    return [`${place}: index "${name}" is not declared in collection "${collection.name}".${hint(name, known)}`]
  }
  const where = query.where?.(params, caller)
  const filters = [where ?? {}].flat().map((filter) => Object.keys(filter))
  const [given = [], ...others] = filters
  if (others.some((other) => other.toSorted().join() !== given.toSorted().join()))
    return [`${place}: where returns filters of different fields. Give each filter the same fields.`]
  const prefix = index.fields.slice(0, given.length)
  if (given.length > prefix.length || !prefix.every((field) => given.includes(field)))
    return [
      `${place}: where gives ${quoted(given)}, which ${given.length === 1 ? 'is not the first field' : 'are not the first fields'} of index "${name}". ${fieldsOf(index)}`,
    ]
  if (index.each === undefined || given.includes(index.each)) return []
  return [`${place}: index "${name}" finds by an item of "${index.each}". Give a value for it in where.`]
}

/** What an index has, as a sentence. */
const fieldsOf = ({ fields }: Index): string =>
  fields.length === 0
    ? 'It has no fields.'
    : `Its ${fields.length === 1 ? 'field is' : 'fields are'} ${quoted(fields)}.`

/** The mistakes in the collections that a composed query and a parent name, for sample requests. */
export function touchMistakes(place: string, collections: Collection[], query: Query): string[] {
  const names = collections.map(({ name }) => name)
  const undeclared = (member: string, touches: Touch[]) =>
    touches
      .map(({ collection }) => collection)
      .filter((name) => !names.includes(name))
      .map(
        (name) => `${place}: ${member} names "${name}", which is not a collection of the domain.${hint(name, names)}`,
      )
  return [
    ...forSamples(query, ({ params, caller }) =>
      query.answers === 'composed' ? undeclared('touches', query.touches(params, caller, NO_DOCUMENTS)) : [],
    ),
    ...forSamples(query, ({ params, caller }) =>
      'parent' in query && query.parent ? undeclared('parent', query.parent.touches(params, caller)) : [],
    ),
  ]
}

/** The mistakes that a check finds, each once. A sample that makes the domain's own code throw shows none. */
function forSamples(query: Query, check: (request: Sample) => string[]): string[] {
  const samples = samplesOf(query).flatMap((params) => SAMPLE_CALLERS.map((caller) => ({ params, caller })))
  const found = samples.flatMap((request) => {
    try {
      return check(request)
    } catch {
      return []
    }
  })
  return [...new Set(found)]
}
