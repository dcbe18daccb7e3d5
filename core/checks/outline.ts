import { type Forms, isObject, isReadable, misshapen } from './forms.ts'
import { CALL, COLLECTION, COMMAND, DOCUMENTS, DOMAIN, INDEX, RECORD, ROUTE, TOPIC, VIEW } from './shapes.ts'

export type Members = { [name: string]: unknown }

export const asMembers = (value: unknown): Members => (isObject(value) ? (value as Members) : {})

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** A part of a domain, and the forms of its members. */
export interface Part {
  place: string
  part: unknown
  shape: Forms
}

/** A part that its parent has. The check of the parent reports one that is missing or no object. */
const inner = (place: string, part: unknown, shape: Forms): Part[] => (isObject(part) ? [{ place, part, shape }] : [])

/** The parts of a domain other than its commands and queries. */
function partsOf(place: string, domain: Members): Part[] {
  const kind = domain.kind === 'append' || domain.kind === 'decide' ? domain.kind : 'unknown'
  const [topic, documents] = [domain.topic, domain.documents].map(asMembers) as [Members, Members]
  const views = listOf(domain.views)
  const ofViews = views.map((view) => asMembers(view).collection)
  const collections = [...listOf(domain.collections), documents.collection, ...ofViews]
  return [
    { place, part: domain, shape: DOMAIN[kind] },
    ...inner(`${place}, topic ${topic.name}`, domain.topic, TOPIC),
    ...inner(`${place}, topic ${topic.name}, record`, topic.record, RECORD),
    ...inner(`${place}, documents`, domain.documents, DOCUMENTS),
    ...views.map((view, at) => ({
      place: `${place}, view ${asMembers(ofViews[at]).name ?? at + 1}`,
      part: view,
      shape: VIEW,
    })),
    ...collections.flatMap((collection) => {
      const { name, indexes } = asMembers(collection)
      const own = `${place}, collection ${name}`
      const each = Object.entries(asMembers(indexes)).map(([index, part]) => ({
        place: `${own}, index ${index}`,
        part,
        shape: INDEX,
      }))
      return collection === undefined ? [] : [{ place: own, part: collection, shape: COLLECTION }, ...each]
    }),
  ]
}

/** The parts of a command. */
function commandParts(place: string, command: unknown): Part[] {
  const { routes, calls } = asMembers(command)
  return [
    { place, part: command, shape: COMMAND },
    ...listOf(routes).map((part) => {
      const { method, path } = asMembers(part)
      return { place: `${place}, ${method} ${path}`, part, shape: ROUTE }
    }),
    ...listOf(calls).map((part) => ({ place: `${place}, method ${asMembers(part).method}`, part, shape: CALL })),
  ]
}

const formMistakes = (parts: Part[]): string[] =>
  parts.flatMap(({ place, part, shape }) => misshapen(place, part, shape))

/** The mistakes in the forms of a domain's parts, and whether further checks can read it. */
export function checkOutline(place: string, domain: Members): { mistakes: string[]; isReadable: boolean } {
  const parts = partsOf(place, domain)
  return { mistakes: formMistakes(parts), isReadable: parts.every(({ part, shape }) => isReadable(part, shape)) }
}

export const commandForms = (place: string, command: unknown): string[] => formMistakes(commandParts(place, command))
