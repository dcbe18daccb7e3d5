import type { Domain } from '#domains/domain.ts'
import { hint } from './hints.ts'

/** The rules and projections whose type does not exist, and the types that have none. */
export function declaredMistakes(place: string, domain: Domain): string[] {
  if (domain.kind !== 'decide' || !domain.declared) return []
  const { events, rules, projections } = domain.declared
  return [
    ...compare(place, { each: 'rule', of: 'command', given: rules, types: Object.keys(domain.commands) }),
    ...compare(place, { each: 'projection', of: 'event', given: projections, types: events }),
  ]
}

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
