import type { Clock } from '#adapters/clock.ts'
import { json, Problem, type Request, type Response } from '#adapters/host/http.ts'
import type { Log } from '#adapters/log/log.ts'
import { logger } from '#adapters/telemetry/logger.ts'
import { Unavailable } from '#adapters/unavailable.ts'
import type { Domain, Fields, Route } from '#domains/domain.ts'
import { commandTypes, type KnownType, RECEIPT_PATH, readPaths } from '../domains.ts'
import { ANONYMOUS, derivedId, newId } from '../ids.ts'
import type { Address, Addresses, Receipt } from '../receipts.ts'
import { router } from '../router.ts'
import type { Waiting } from '../waiting.ts'
import { type Accepted, seal } from './event.ts'
import { readData, readExpectedVersion, readKey, readWait } from './read.ts'

export interface PublisherParts {
  domains: Domain[]
  log: Pick<Log, 'append'>
  addresses: Addresses
  waiting: Waiting
  clock: Clock
}

type Target = KnownType & { route: Route }

/** publish: match the route, check the command, append it, answer. */
export function publisher({ domains, log, addresses, waiting, clock }: PublisherParts) {
  const match = router<Target | undefined>([
    ...[...commandTypes(domains).values()].flatMap((known) =>
      known.command.routes.map((route) => ({ method: route.method, path: route.path, target: { ...known, route } })),
    ),
    ...readPaths(domains).map((path) => ({ method: 'GET' as const, path, target: undefined })),
  ])

  return async function publish(request: Request): Promise<Response> {
    const { target, path } = match(request.method, request.path)
    request.route = path
    if (!target) throw new Problem(404, 'Not found', 'Reads are answered by query, not by publish.')
    const { domain, type, command, route } = target
    const data = readData(request, route, command)
    const wait = readWait(request)
    const expectedVersion = readExpectedVersion(request, domain)
    const time = clock.now()
    const key = command.key?.(data) ?? readKey(request)
    const id = identify(key, domain, time)
    const { traceparent, traceId } = request.trace
    const stream = command.stream(data, id)
    const accepted: Accepted = { id, type, stream, time, actor: ANONYMOUS, traceparent, data, expectedVersion }
    const { record, hash } = seal(accepted, domain.topic)
    const address = { domain: domain.name, id, hash, time }
    const receipt = addresses.sign(address)
    try {
      await log.append(domain.topic.name, record)
    } catch (error) {
      throw error instanceof Unavailable ? unavailable(error, id, key ?? receipt, receipt) : error
    }
    logger.debug({ command: id, trace: traceId, type }, 'accepted')
    const outcome = wait === undefined ? undefined : await outcomeOf(address, wait, request.signal)
    return outcome ? decided(outcome, id, receipt, route, data) : acceptedAs(id, receipt, route, data)
  }

  /**
   * The command id: new, or the one that this caller's key stands for in this domain. A receipt's address is a key too:
   * it stands for the command that it was given for, so that one without a key can be repeated.
   */
  function identify(key: string | undefined, domain: Domain, now: number): string {
    if (key === undefined) return newId(now)
    if (key.startsWith(`${domain.name}.`)) {
      try {
        return addresses.verify(key, now).id
      } catch {
        // an ordinary key that looks like an address
      }
    }
    return derivedId(domain.name, ANONYMOUS, key, 0)
  }

  /** None while it is pending, and none while the store is away: the command is safe in the log either way. */
  async function outcomeOf(address: Address, ms: number, signal: AbortSignal): Promise<Receipt | undefined> {
    try {
      const receipt = await waiting.wait(address, ms, signal)
      return receipt.status === 'pending' ? undefined : receipt
    } catch (error) {
      if (error instanceof Unavailable) return undefined
      throw error
    }
  }
}

const receiptPath = (receipt: string) => RECEIPT_PATH.replace('{receipt}', receipt)

function acceptedAs(id: string, receipt: string, route: Route, data: Fields): Response {
  const location = receiptPath(receipt)
  if (route.text !== undefined) {
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8', location }, body: route.text }
  }
  if (route.answer) return json(200, route.answer(data), { location })
  return json(202, { id, status: 'pending', receipt: location }, { location })
}

function decided(receipt: Receipt, id: string, address: string, route: Route, data: Fields): Response {
  const location = receiptPath(address)
  const applied = { 'preference-applied': 'wait' }
  switch (receipt.status) {
    case 'pending':
      return acceptedAs(id, address, route, data)
    case 'applied': {
      if (route.text !== undefined || route.answer) return acceptedAs(id, address, route, data)
      const created = route.created?.replaceAll('{id}', id)
      const headers = { ...applied, location: created ?? location }
      return json(created ? 201 : 200, { id, status: 'applied', receipt: location }, headers)
    }
    case 'rejected':
    case 'parked': {
      const isStale = receipt.status === 'rejected' && receipt.isStale
      const title = receipt.status === 'rejected' ? 'Rejected' : 'Parked'
      throw new Problem(isStale ? 412 : 409, isStale ? 'Precondition failed' : title, receipt.reason, {
        headers: applied,
        members: { id, outcome: receipt.status, receipt: location },
      })
    }
    default:
      return receipt satisfies never
  }
}

function unavailable(cause: Unavailable, id: string, key: string, receipt: string): Problem {
  const detail = cause.handedOver
    ? 'It is not known whether the log has the command. Repeat it with this Idempotency-Key: it takes effect once.'
    : 'The log can not take commands now. Nothing was done; repeat it later.'
  return new Problem(503, 'Log unavailable', detail, {
    cause,
    headers: { 'retry-after': '1' },
    members: { id, idempotencyKey: key, unknown: cause.handedOver, receipt: receiptPath(receipt) },
  })
}
