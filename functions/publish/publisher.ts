import { authorize } from '#core/access.ts'
import type { CallerOf } from '#core/caller.ts'
import { Problem } from '#core/problem.ts'
import { commandTypes, EVENTS_PATH, type KnownType, readPaths, receiptPath } from '#core/registry.ts'
import { jsonResponse, type Request, type Response } from '#core/request.ts'
import { router } from '#core/router.ts'
import type { Domain, Fields, Route } from '#domains/domain.ts'
import { isBatch, submitBatch } from './batch.ts'
import { readCloudEvent } from './client-event.ts'
import { refuseAddress } from './command-id.ts'
import { deadlineOf } from './deadline.ts'
import { readData } from './parse-request.ts'
import { type SubmitParts, type Submitted, submitter } from './submit.ts'

export interface PublisherParts extends SubmitParts {
  domains: Domain[]
  callerOf: CallerOf
}

export type CommandRoute = KnownType & { route: Route }

/** publish over HTTP: match the route, know the caller, check the command, submit it, answer. */
export function publisher({ domains, callerOf, ...parts }: PublisherParts, submit = submitter(parts)) {
  const types = commandTypes(domains)
  const match = router<CommandRoute | 'event' | undefined>([
    { method: 'POST', path: EVENTS_PATH, target: 'event' },
    ...[...types.values()].flatMap((known) =>
      known.command.routes.map((route) => ({ method: route.method, path: route.path, target: { ...known, route } })),
    ),
    ...readPaths(domains).map((path) => ({ method: 'GET' as const, path, target: undefined })),
  ])

  return async function publish(request: Request): Promise<Response> {
    const { target, path, params } = match(request.method, request.path)
    request.route = path
    if (!target) throw new Problem(404, 'Not found', 'Reads are answered by query, not by publish.')
    const caller = await callerOf(request.headers, deadlineOf(request, parts.clock))
    if (target === 'event') {
      const { known, read, submission } = readCloudEvent(request, types)
      authorize(known.command, caller)
      const data = read()
      const [route] = known.command.routes.filter(({ body }) => body !== 'text')
      return answer(await submit(known, data, caller, submission), { ...route, answer: undefined }, data)
    }
    const { route, command } = target
    authorize(command, caller)
    if (isBatch(request, route)) {
      refuseAddress(request, target, parts.addresses, parts.clock.now())
      return await submitBatch({ request, target, params, caller }, submit, parts)
    }
    const data = readData(request, route, command, params)
    return answer(await submit(target, data, caller, request), route, data)
  }
}

type Answering = Pick<Partial<Route>, 'text' | 'created'> & { answer?: Route['answer'] | undefined }

function answer({ id, receipt, isApplied }: Submitted, route: Answering, data: Fields): Response {
  const location = receiptPath(receipt)
  const headers = { location, ...(isApplied ? { 'preference-applied': 'wait' } : {}) }
  if (route.text !== undefined) {
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body: route.text }
  }
  if (route.answer) return jsonResponse(200, route.answer(data), headers)
  if (!isApplied) return jsonResponse(202, { id, status: 'pending', receipt: location }, headers)
  const created = route.created?.replaceAll(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(String(name === 'id' ? id : data[name])),
  )
  const told = { id, status: 'applied', receipt: location }
  return jsonResponse(created ? 201 : 200, told, { ...headers, location: created ?? location })
}
