import type { Domain } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { PAGED, paging } from '../paging.ts'
import { onlyCollection, readCollections, viewsOf } from '../registry.ts'
import { namesIn } from '../request.ts'
import { hint, quoted } from './hints.ts'
import { lookupMistakes, touchMistakes } from './lookups.ts'
import { pathMistakes } from './paths.ts'

/** The mistakes in a query, without those of its form. */
export function queryMistakes(place: string, domain: Domain, query: Query): string[] {
  const collections = readCollections(domain)
  return [
    ...pathMistakes(place, query.path),
    ...paramMistakes(place, query),
    ...kindMistakes(place, domain, query),
    ...sourceMistakes(place, domain, query),
    ...lookupMistakes(place, domain, query),
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
  if (answers === 'total') return totalMistakes(place, domain, query.from)
  if (domain.kind === 'append' && answers === 'history')
    return [`${place}: An append domain has no events, so it has no history. Answer a "page" of its documents.`]
  if (domain.kind === 'append' && answers === 'live' && query.of === 'events') {
    const { name } = domain.documents.collection
    return [`${place}: An append domain has no events. Write of: { collection: "${name}" }.`]
  }
  return []
}

function totalMistakes(place: string, domain: Domain, from: string | undefined): string[] {
  const names = viewsOf(domain).flatMap(({ collection, isSlotted }) => (isSlotted ? [collection.name] : []))
  if (names.length === 0)
    return [
      `${place}: A query that answers "total" reads a view with slots: true. Declare one in views of a decide domain.`,
    ]
  if (from !== undefined)
    return names.includes(from) ? [] : [`${place}: from "${from}" is not a view with slots: true.${hint(from, names)}`]
  return names.length === 1
    ? []
    : [`${place}: The domain has several views with slots: true. Name one of ${quoted(names)} as from.`]
}

/** The mistakes in the name of the collection that a query reads. */
function sourceMistakes(place: string, domain: Domain, query: Query): string[] {
  const names = readCollections(domain).map(({ name }) => name)
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
      if (onlyCollection(domain)) return []
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
    ? [`${place}: The overview cannot give a query that answers "one" its {id}. Answer "composed" instead.`]
    : []
}
