import type { Domain, Fields } from '#domains/domain.ts'
import type { DeclaredView } from '#domains/views.ts'
import { viewsOf } from '../registry.ts'
import { hint } from './hints.ts'

/** The rules, projections and feeds whose type does not exist, and the types that have no rule or projection. */
export function declaredMistakes(place: string, domain: Domain): string[] {
  if (domain.kind !== 'decide' || !domain.declared) return []
  const { events, rules, projections, views = {} } = domain.declared
  return [
    ...compare(place, { each: 'rule', of: 'command', given: rules, types: Object.keys(domain.commands) }),
    ...compare(place, { each: 'projection', of: 'event', given: projections, types: events }),
    ...Object.entries(views).flatMap(([view, declared]) => viewMistakes(`${place}, view ${view}`, declared, events)),
    ...viewsOf(domain).flatMap(({ collection, zero }) => zeroMistakes(`${place}, view ${collection.name}`, zero)),
  ]
}

function viewMistakes(place: string, { feeds, unkeyed, misfit }: DeclaredView, events: string[]): string[] {
  if (feeds.length === 0)
    return [`${place}: It has no feeds, so it stays empty. Name the events that change it in feeds.`]
  const unknown = feeds.filter((type) => !events.includes(type))
  return [
    ...unknown.map((type) => `${place}, feed ${type}: There is no such event.${hint(type, events)}`),
    ...unkeyed.map((type) => `${place}, feed ${type}: Say by key which document it changes, or write slots: true.`),
    ...(misfit === undefined ? [] : [`${place}: zero does not fit the schema: ${misfit}.`]),
  ]
}

const zeroMistakes = (place: string, zero: Fields): string[] =>
  ['_id', 'generation']
    .filter((name) => Object.hasOwn(zero, name))
    .map((name) => `${place}: Millrace writes the field "${name}" itself. Give the field another name.`)

interface Comparison {
  each: string
  of: string
  given: string[] | undefined
  types: string[]
}

function compare(place: string, { each, of, given, types }: Comparison): string[] {
  if (!given) return []
  const unknown = given.filter((type) => !types.includes(type))
  const missing = types.filter((type) => !given.includes(type))
  return [
    ...unknown.map((type) => `${place}, ${each} ${type}: There is no such ${of}.${hint(type, types)}`),
    ...missing.map((type) => `${place}: The ${of} ${type} has no ${each}. Add it to ${each}s.`),
  ]
}
