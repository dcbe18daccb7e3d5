import type { Collection, Domain } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { PAGED, paging } from '../paging.ts'
import { namesIn } from '../request.ts'
import { hint, quoted } from './hints.ts'
import { lookupMistakes, touchMistakes } from './lookups.ts'
import { pathMistakes } from './paths.ts'

/** The mistakes in a query, without those of its form. */
export function queryMistakes(place: string, domain: Domain, query: Query): string[] {
  const collections = domain.kind === 'append' ? [domain.documents.collection] : domain.collections
  return [
    ...pathMistakes(place, query.path),
    ...paramMistakes(place, query),
    ...kindMistakes(place, domain, query),
    ...sourceMistakes(place, collections, query),
    ...lookupMistakes(place, collections, query),
    ...touchMistakes(place, collections, query),
    ...overviewMistakes(place, query),
  ]
}

/** A parameter of the path that `params` does not declare is a text. One that it declares in other letters is a mistake. */
function paramMistakes(place: string, query: Query): string[] {
  const declared = 'params' in query && query.params ? Object.keys(query.params.shape) : []
  const inPath = namesIn(query.path)
  const isNumbered = 'numbered' in query && query.numbered !== undefined
  const own = [
    'after',
    ...(PAGED.includes(query.answers) ? Object.keys(paging.shape) : []),
    ...(isNumbered ? ['page', 'size', 'sort'] : []),
  ]
  const plain = (name: string) => name.replaceAll(/[_-]/g, '').toLowerCase()
  return [
    ...inPath.flatMap((name) => {
      if (declared.includes(name)) return []
      const meant = declared.find((other) => !inPath.includes(other) && plain(other) === plain(name))
      return meant === undefined ? [] : [`${place}: {${name}} is not a member of params. Did you mean "${meant}"?`]
    }),
    ...declared
      .filter((name) => own.includes(name))
      .map(
        (name) => `${place}: Millrace reads the parameter "${name}" itself. Give the member of params another name.`,
      ),
  ]
}

function kindMistakes(place: string, domain: Domain, query: Query): string[] {
  const { answers, path } = query
  if (answers === 'one' && !namesIn(path).includes('id'))
    return [`${place}: A query that answers "one" finds a document by {id}. Write {id} in its path.`]
  if (answers === 'total' && !(domain.kind === 'decide' && domain.tally))
    return [`${place}: A query that answers "total" reads the tally of a decide domain. Declare a tally.`]
  if (domain.kind === 'append' && answers === 'history')
    return [`${place}: An append domain has no events, so it has no history. Answer a "page" of its documents.`]
  if (domain.kind === 'append' && answers === 'live' && query.of === 'events') {
    const { name } = domain.documents.collection
    return [`${place}: An append domain has no events. Write of: { collection: "${name}" }.`]
  }
  return []
}

/** The mistakes in the name of the collection that a query reads. */
function sourceMistakes(place: string, collections: Collection[], query: Query): string[] {
  const names = collections.map(({ name }) => name)
  const undeclared = (member: string, name: string) =>
    names.includes(name) ? [] : [`${place}: ${member} "${name}" is not a collection of the domain.${hint(name, names)}`]
  switch (query.answers) {
    case 'live':
      return query.of === 'events' ? [] : undeclared('of', String(query.of.collection))
    case 'page':
    case 'one':
    case 'all':
    case 'count':
      if (typeof query.from === 'function') return []
      if (query.from !== undefined) return undeclared('from', query.from)
      if (names.length === 1) return []
      return [
        names.length === 0
          ? `${place}: The domain has no collection to read. Declare one in collections.`
          : `${place}: The domain has several collections. Name one of ${quoted(names)} as from.`,
      ]
    default:
      return []
  }
}

function overviewMistakes(place: string, { overview, answers, path }: Query): string[] {
  if (!overview) return []
  if (typeof overview.part !== 'string' || overview.part === '') return [`${place}: overview must name its part.`]
  if (answers === 'all' || answers === 'live')
    return [
      `${place}: A query that answers "${answers}" is a stream, and cannot be part of the overview. Remove overview.`,
    ]
  return answers === 'one' && namesIn(path).length > 0
    ? [`${place}: The overview cannot give a query that answers "one" its {id}. Answer a "view" instead.`]
    : []
}
