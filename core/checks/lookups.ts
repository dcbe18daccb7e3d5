import type { Caller, Collection, DocumentReader, Domain, Fields, Touch } from '#domains/domain.ts'
import type { AllQuery, CountQuery, PageQuery, Query } from '#domains/query.ts'
import { ANONYMOUS } from '../ids.ts'
import { onlyCollection, readCollections } from '../registry.ts'
import { hint, quoted } from './hints.ts'
import { samplesOf } from './samples.ts'

type Lookup = PageQuery | AllQuery | CountQuery

const isLookup = (query: Query): query is Lookup => ['page', 'all', 'count'].includes(query.answers)

const SAMPLE_CALLER: Caller = { id: ANONYMOUS, scopes: new Set() }
const NO_DOCUMENTS: DocumentReader = { get: () => undefined }

/** The mistakes in the index, the collection and the filters that a query chooses, for sample parameters. */
export function lookupMistakes(place: string, domain: Domain, query: Query): string[] {
  if (!isLookup(query)) return []
  const collections = readCollections(domain)
  return forSamples(query, (params) => {
    const from = typeof query.from === 'function' ? query.from(params) : (query.from ?? onlyCollection(domain)?.name)
    const collection = collections.find(({ name }) => name === from)
    if (collection) return indexMistakes(place, collection, query, params)
    if (typeof query.from !== 'function') return []
    const names = collections.map(({ name }) => name)
    return [`${place}: from returns "${from}", which is not a collection of the domain.${hint(String(from), names)}`]
  })
}

function indexMistakes(place: string, collection: Collection, query: Lookup, params: Fields): string[] {
  const name = typeof query.index === 'function' ? query.index(params) : query.index
  const index = Object.hasOwn(collection.indexes, name) ? collection.indexes[name] : undefined
  if (!index) {
    const known = Object.keys(collection.indexes)
    return [`${place}: index "${name}" is not declared in collection "${collection.name}".${hint(name, known)}`]
  }
  const where = query.where?.(params, SAMPLE_CALLER)
  const filters = [where ?? {}].flat().map((filter) => Object.keys(filter))
  const [given = [], ...others] = filters
  if (others.some((other) => other.toSorted().join() !== given.toSorted().join()))
    return [`${place}: where returns filters of different fields. Give each filter the same fields.`]
  const prefix = index.fields.slice(0, given.length)
  if (given.length > prefix.length || !prefix.every((field) => given.includes(field)))
    return [
      `${place}: where gives ${quoted(given)}, which are not the first fields of index "${name}". Its fields are ${quoted(index.fields)}.`,
    ]
  if (index.each === undefined || given.includes(index.each)) return []
  return [`${place}: index "${name}" finds by an item of "${index.each}". Give a value for it in where.`]
}

/** The mistakes in the collections that a view and a parent name, for sample parameters. */
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
    ...forSamples(query, (params) =>
      query.answers === 'view' ? undeclared('touches', query.touches(params, SAMPLE_CALLER, NO_DOCUMENTS)) : [],
    ),
    ...forSamples(query, (params) =>
      'parent' in query && query.parent ? undeclared('parent', query.parent.touches(params, SAMPLE_CALLER)) : [],
    ),
  ]
}

/** The mistakes that a check finds, each once. A sample that makes the domain's own code throw shows none. */
function forSamples(query: Query, check: (params: Fields) => string[]): string[] {
  const found = samplesOf(query).flatMap((params) => {
    try {
      return check(params)
    } catch {
      return []
    }
  })
  return [...new Set(found)]
}
