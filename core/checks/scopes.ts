import type { Domain } from '#domains/domain.ts'
import { nearest } from './hints.ts'

/**
 * A sentence for each scope that no caller can have, since neither a role of any domain nor ANONYMOUS_SCOPES grants it. It does not stop
 * a start: a missing grant closes the commands and queries and opens nothing, and the setting may differ between processes.
 */
export function ungrantedScopes(domains: Domain[], everybody: string[]): string[] {
  const granted = new Set([...domains.flatMap(({ roles = {} }) => Object.values(roles).flat()), ...everybody])
  const places = new Map<string, string>()
  for (const { name, commands, queries } of domains) {
    const restricted = [
      ...Object.entries(commands).map(([type, { scope }]) => ({ scope, part: `command ${type}` })),
      ...queries.map(({ path, scope }) => ({ scope, part: `query GET ${path}` })),
    ]
    for (const { scope, part } of restricted) {
      if (scope === undefined || granted.has(scope) || places.has(scope)) continue
      places.set(scope, `domain ${name}, ${part}`)
    }
  }
  return [...places].map(([scope, place]) => {
    const meant = nearest(scope, [...granted])
    const remedy = meant === undefined ? 'Add it to a role of the domain.' : `Did you mean "${meant}"?`
    return `${place}: Neither a role nor ANONYMOUS_SCOPES grants the scope "${scope}", so no caller has it. ${remedy}`
  })
}
