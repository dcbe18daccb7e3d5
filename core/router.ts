import FindMyWay, { type HTTPMethod } from 'find-my-way'
import { Problem } from './problem.ts'

export interface Match<Target> {
  target: Target
  /** The path as it was declared, for metrics. */
  path: string
  params: Record<string, string | undefined>
}

/** Paths are written as OpenAPI writes them: `/api/tutorials/{id}`. */
export interface RouteEntry<Target> {
  method: HTTPMethod
  path: string
  target: Target
}

/**
 * Finds the target of a request; throws 404 for an unknown path and 405 with `Allow` for a known one. A path that is declared as
 * it stands takes what is declared for it, and nothing of a pattern that it fits too.
 */
export function router<Target>(entries: RouteEntry<Target>[]): (method: string, path: string) => Match<Target> {
  const routes = FindMyWay({ ignoreTrailingSlash: true, maxParamLength: 1024 })
  const methods = new Set<HTTPMethod>()
  const literal = new Map<string, Set<HTTPMethod>>()
  for (const { method, path, target } of entries) {
    if (!path.includes('{')) literal.set(path, (literal.get(path) ?? new Set()).add(method))
    routes.on(method, path.replaceAll(/\{(\w+)\}/g, ':$1'), () => {}, { target, path })
    methods.add(method)
  }
  return (method, path) => {
    const asked = (method === 'HEAD' ? 'GET' : method) as HTTPMethod
    const found = routes.find(asked, path)
    const own = literal.get(path.replace(/(?<=.)\/$/, ''))
    if (found && own?.has(asked) !== false)
      return { ...(found.store as Pick<Match<Target>, 'target' | 'path'>), params: found.params }
    const allowed = [...(own ?? methods)].filter((other) => routes.find(other, path))
    if (allowed.length === 0) throw new Problem(404, 'Not found', `There is nothing at ${path}.`)
    if (allowed.includes('GET')) allowed.push('HEAD')
    const allow = allowed.sort().join(', ')
    throw new Problem(405, 'Method not allowed', `${path} takes ${allow}.`, { headers: { allow } })
  }
}
