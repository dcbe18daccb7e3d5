import FindMyWay, { type HTTPMethod } from 'find-my-way'
import { Problem } from './problem.ts'

export interface Match<Target> {
  target: Target
  /** The declared path, for metrics. */
  path: string
  params: Record<string, string | undefined>
}

/** A route. Its path is written as in OpenAPI: `/api/tutorials/{id}`. */
export interface RouteEntry<Target> {
  method: HTTPMethod
  path: string
  target: Target
}

/**
 * Returns a function that finds the target of a request. It throws 404 for an unknown path, and 405 with `Allow` for a known one. A path
 * without parameters has priority: methods of a pattern that matches it too do not apply.
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
    const wanted = (method === 'HEAD' ? 'GET' : method) as HTTPMethod
    const found = routes.find(wanted, path)
    const own = literal.get(path.replace(/(?<=.)\/$/, ''))
    if (found && own?.has(wanted) !== false)
      return { ...(found.store as Pick<Match<Target>, 'target' | 'path'>), params: found.params }
    const allowed = [...(own ?? methods)].filter((other) => routes.find(other, path))
    if (allowed.length === 0) throw new Problem(404, 'Not found', `There is nothing at ${path}.`)
    if (allowed.includes('GET')) allowed.push('HEAD')
    const allow = allowed.sort().join(', ')
    throw new Problem(405, 'Method not allowed', `${path} accepts ${allow}.`, { headers: { allow } })
  }
}
