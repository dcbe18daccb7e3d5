import { authorize } from '#core/access.ts'
import type { CallerOf } from '#core/caller.ts'
import { Problem } from '#core/problem.ts'
import { commandTypes, EVENTS_PATH, type KnownType, readPaths, receiptPath } from '#core/registry.ts'
import { jsonResponse, type Request, type Response } from '#core/request.ts'
import { router } from '#core/router.ts'
import type { Domain, Fields, Route } from '#domains/domain.ts'
import { isBatch, submitBatch } from './batch.ts'
import { parseClientEvent } from './client-event.ts'
import { assertNoReceiptKey } from './command-id.ts'
import { deadlineOf } from './deadline.ts'
import { parseCommand } from './parse-request.ts'
import { type SubmitParts, type Submitted, submitter } from './submit.ts'

export interface PublisherParts extends SubmitParts {
  domains: Domain[]
  callerOf: CallerOf
}

/** A command type and the route that a request took to it. */
export type CommandRoute = KnownType & { route: Route }

/** publish over HTTP: match the route, identify the caller, validate the command, submit it, respond. */
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
    if (!target) throw new Problem(404, 'Not found', 'publish serves no reads. Send them to query.')
    const caller = await callerOf(request.headers, deadlineOf(request, parts.clock))
    if (target === 'event') {
      const { known, parseData, submission } = parseClientEvent(request, types)
      authorize(known.command, caller)
      const data = parseData()
      const [route] = known.command.routes.filter(({ body }) => body !== 'text')
      return toResponse(await submit(known, data, caller, submission), { ...route, answer: undefined }, data)
    }
    const { route, command } = target
    authorize(command, caller)
    if (isBatch(request, route)) {
      assertNoReceiptKey(request, target, parts.addresses, parts.clock.now())
      return await submitBatch({ request, target, params, caller }, submit, parts)
    }
    const data = parseCommand(request, route, command, params)
    return toResponse(await submit(target, data, caller, request), route, data)
  }
}

type Responding = Pick<Partial<Route>, 'text' | 'created'> & { answer?: Route['answer'] | undefined }

function toResponse({ id, receipt, isApplied }: Submitted, route: Responding, data: Fields): Response {
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
  const body = { id, status: 'applied', receipt: location }
  return jsonResponse(created ? 201 : 200, body, { ...headers, location: created ?? location })
}
