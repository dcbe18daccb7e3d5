import type { Delivery, Outcome } from '#core/delivery.ts'
import { Problem } from '#core/problem.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { type HttpFunction, httpFunction } from './http.ts'

/** A function and the requests that it serves. */
export type Mount = HttpMount | EventMount

export interface HttpMount {
  kind: 'http'
  name: string
  accepts(method: string, path: string): boolean
  /** The largest body of a request, if it differs from the host's limit. */
  maxBodyBytes?(method: string, path: string): number | undefined
  serve: HttpFunction
}

export interface EventMount {
  kind: 'cloudevent'
  name: string
  path: string
  serve(event: Delivery): Promise<Outcome>
}

/** Returns a function that finds the first mount that accepts a request, or one that responds with 404. */
export function mountFinder(mounts: Mount[], telemetry: Telemetry): (method: string, path: string) => Mount {
  const notFound: Mount = {
    kind: 'http',
    name: 'host',
    accepts: () => true,
    serve: httpFunction(async ({ path }) => {
      throw new Problem(404, 'Not found', `There is nothing at ${path}.`)
    }, telemetry),
  }
  return (method, path) => {
    for (const mount of mounts) {
      if (mount.kind === 'http' ? mount.accepts(method, path) : mount.path === path && method === 'POST') return mount
    }
    return notFound
  }
}
