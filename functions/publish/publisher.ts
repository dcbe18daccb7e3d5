import { authorize, type CallerOf } from '#core/access.ts'
import { BoundedMap } from '#core/bounded-map.ts'
import { ANONYMOUS } from '#core/ids.ts'
import { NDJSON_TYPE } from '#core/media-types.ts'
import { Problem } from '#core/problem.ts'
import { receiptPath } from '#core/receipts.ts'
import { commandTypes, EVENTS_PATH, type KnownType, readPaths } from '#core/registry.ts'
import { jsonResponse, type Request, type Response, router } from '#core/request.ts'
import type { Logger } from '#core/telemetry.ts'
import type { Caller, Domain, Fields, Route } from '#domains/domain.ts'
import { assertNoReceiptKey } from './accepted-command.ts'
import { submitBatch } from './batch.ts'
import { parseClientEvent } from './client-event.ts'
import { nothingDone } from './log-unavailable.ts'
import { mediaType, parseCommand } from './parse-request.ts'
import { deadlineOf, type Submission, type Submit, type SubmitParts, type Submitted, submitter } from './submit.ts'

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
      request.servedBy = { domain: known.domain.name, type: known.type }
      authorize(known.command, caller)
      const data = parseData()
      const [route] = known.command.routes.filter(({ body }) => body !== 'text')
      return toResponse(await submit(known, data, caller, submission), { ...route, answer: undefined }, data)
    }
    const { route, command, domain, type } = target
    request.servedBy = { domain: domain.name, type }
    authorize(command, caller)
    if (isBatch(request, route)) {
      assertNoReceiptKey(request, target, parts.addresses, parts.clock.now())
      return await submitBatch({ request, target, params, caller }, submit, parts)
    }
    const data = parseCommand(request, route, command, params)
    return toResponse(await submit(target, data, caller, request), route, data)
  }
}

/** True for a batch. A batch route takes a single command too, as a JSON object. */
const isBatch = (request: Request, route: Route): boolean =>
  route.body === 'batch' &&
  (mediaType(request) === NDJSON_TYPE || request.body[firstVisible(request.body)] === OPENING_BRACKET)

const OPENING_BRACKET = '['.charCodeAt(0)
const firstVisible = (body: Buffer): number => body.findIndex((byte) => byte > 0x20)

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

const MAX_CALLERS = 10_000

/**
 * Submits a domain's welcome commands before the first command that a caller sends to that domain through this process. A welcome
 * has the same id each time, so a caller who returns, or comes through another process, is welcomed once. Commands of other
 * domains do not wait for it, because their topics may be available when this one is not. The commands of a caller stay in order
 * within a domain.
 */
export function withWelcome(domains: Domain[], submit: Submit, logger: Logger): Submit {
  const welcomes = [...commandTypes(domains).values()].filter(({ command }) => command.welcome)
  /** The welcome of each recent caller. The promise stays after it has settled, because commands that wait on it keep their order. */
  const welcomed = new BoundedMap<Promise<void>>(MAX_CALLERS)

  const welcomesFor = ({ domain: { name } }: KnownType, { id, scopes }: Caller): KnownType[] =>
    id === ANONYMOUS
      ? []
      : welcomes.filter(
          ({ domain, command: { scope } }) => domain.name === name && (scope === undefined || scopes.has(scope)),
        )

  async function submitAll(types: KnownType[], caller: Caller, { trace, arrived, signal }: Submission): Promise<void> {
    const { name, email } = caller
    const given = { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) }
    for (const known of types) {
      const { data, success } = known.command.data.safeParse(given)
      if (success) await submit(known, data, caller, { headers: {}, trace, arrived, signal, key: known.type })
    }
  }

  /** Resolves when the caller's own command may be submitted. */
  function welcome(key: string, types: KnownType[], caller: Caller, submission: Submission): Promise<void> {
    const done = submitAll(types, caller, submission).catch((error) => {
      // The caller was welcomed before, with a token that said something else.
      if (error instanceof Problem && error.members.reusedKey) return
      welcomed.delete(key, done)
      if (!(error instanceof Problem)) throw error
      // The caller's own command is not tried: it would wait as long again, with the same result.
      if (error.status === 503) throw nothingDone({ cause: error })
      logger.warn({ trace: submission.trace.traceId, err: error }, 'a welcome command was refused')
    })
    return done
  }

  return function submitWelcomed(known, data, caller, submission) {
    const types = welcomesFor(known, caller)
    if (types.length === 0) return submit(known, data, caller, submission)
    const key = `${known.domain.name} ${caller.id}`
    const ready = welcomed.get(key) ?? welcome(key, types, caller, submission)
    welcomed.set(key, ready)
    return ready.then(() => submit(known, data, caller, submission))
  }
}
