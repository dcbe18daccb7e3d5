import { authorize, scopesIn } from '#core/access.ts'
import { alarm, type Clock } from '#core/clock.ts'
import { ANONYMOUS } from '#core/ids.ts'
import type { Log } from '#core/log.ts'
import { Problem } from '#core/problem.ts'
import { type Address, type Addresses, REUSED_KEY, type Receipt, receiptPath } from '#core/receipts.ts'
import type { KnownType } from '#core/registry.ts'
import type { Request } from '#core/request.ts'
import type { Seals } from '#core/seals.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { Waiting } from '#core/waiting.ts'
import type { Caller, Fields } from '#domains/domain.ts'
import { type AcceptedCommand, commandIds, toRecord } from './accepted-command.ts'
import { type EndUse, isSameCommand, keyUses } from './key-uses.ts'
import { logUnavailable, nothingDone } from './log-unavailable.ts'
import { readExpectedVersion, readWait } from './parse-request.ts'
import { recentCommands } from './recent-commands.ts'

export interface SubmitParts extends Telemetry {
  log: Pick<Log, 'append'>
  addresses: Addresses
  seals: Seals
  waiting: Waiting
  clock: Clock
}

/** What accompanies a command: the headers of HTTP or the metadata of gRPC, and more. */
export type Submission = Pick<Request, 'headers' | 'trace' | 'arrived' | 'signal' | 'from'> & {
  /** The number of the line in a batch, from 1. All lines of a batch share their headers. */
  line?: number
  /** The client's own idempotency key, if no header has it. Its parts may be several strings. */
  key?: string | string[]
}

/** A command that the log has. */
export interface Submitted {
  id: string
  /** The receipt's address. */
  receipt: string
  /** True when the client waited for the outcome and the command took effect. */
  isApplied: boolean
}

/** Commands reach the log in the order of the calls. */
export type Submit = (known: KnownType, data: Fields, caller: Caller, submission: Submission) => Promise<Submitted>

/**
 * Returns the function that every protocol calls with a validated command. The command gets its id, is sealed and appended, and its
 * outcome is awaited if the client prefers that. Throws a problem: 401 and 403 if the caller may not send it, 503 if the log is
 * unavailable, 409 if its key is known to stand for another command, 409 and 412 if it was awaited and did not take effect.
 */
export function submitter({ log, addresses, seals, waiting, clock, logger, metrics }: SubmitParts): Submit {
  const dedupe = recentCommands<Address>(clock, metrics)
  const uses = keyUses(clock)
  const identify = commandIds(addresses)
  const within = timeLimit(clock)

  return async function submit(known, data, caller, submission) {
    const { domain, type, command } = known
    authorize(command, caller, data)
    const { line = 0 } = submission
    const waitMs = line > 0 ? undefined : readWait(submission)
    const expectedVersion = readExpectedVersion(submission, domain)
    const time = clock.now()
    const { id, use, key, first } = identify({ known, data, caller, submission, expectedVersion, time })
    const { traceparent, traceId } = submission.trace
    const { id: actor } = caller
    const stream = command.stream(data, id, actor)
    const scopes = scopesIn(domain, caller.scopes)
    const accepted: AcceptedCommand = { id, type, stream, time, actor, scopes, traceparent, data, expectedVersion }
    const { record, hash } = toRecord(accepted, domain.topic, seals)

    async function append(): Promise<Address> {
      const address = { domain: domain.name, id, hash, time }
      const end = use === undefined ? undefined : beginUse(use, address, caller)
      try {
        const deadline = deadlineOf(submission, clock)
        await within(deadline, log.append(domain.topic.name, record, deadline))
        end?.(true)
      } catch (error) {
        end?.(!(error instanceof Unavailable) || error.mayBeWritten)
        if (!(error instanceof Unavailable)) throw error
        const receipt = addresses.sign(address)
        throw notAppended(error, id, key ?? receipt, receipt)
      }
      logger.debug({ command: id, trace: traceId, type }, 'a command was appended')
      return address
    }

    if (first && !isSameCommand(first, { ...first, hash })) throw keyReused(first, caller, addresses)
    const address = await (use !== undefined && line === 0 ? dedupe(`${id} ${hash}`, append) : append())
    const receipt = addresses.sign(address)
    const outcome = waitMs === undefined ? undefined : await outcomeOf(waiting.wait(address, waitMs, submission.signal))
    if (outcome) assertApplied(outcome, id, receipt)
    return { id, receipt, isApplied: outcome !== undefined }
  }

  function beginUse(key: string, address: Address, caller: Caller): EndUse {
    const use = uses.begin(key, address)
    if ('first' in use) throw keyReused(use.first, caller, addresses)
    return use.end
  }
}

/** Undefined while the outcome is pending or the store is unavailable: the command is safe in the log either way. */
async function outcomeOf(waited: Promise<Receipt>): Promise<Receipt | undefined> {
  try {
    const receipt = await waited
    return receipt.status === 'pending' ? undefined : receipt
  } catch (error) {
    if (error instanceof Unavailable) return undefined
    throw error
  }
}

/** Anonymous callers learn nothing about the first command, which may be somebody else's. */
function keyReused({ id, ...first }: Address, caller: Caller, addresses: Addresses): Problem {
  const detail = `${REUSED_KEY}. This request had no effect. Send its command with another key.`
  const known = { id, receipt: receiptPath(addresses.sign({ id, ...first })) }
  const members = { outcome: 'rejected', reusedKey: true, ...(caller.id === ANONYMOUS ? {} : { first: known }) }
  return new Problem(409, 'Idempotency key reused', detail, { members })
}

function assertApplied(outcome: Receipt, id: string, receipt: string): void {
  if (outcome.status !== 'rejected' && outcome.status !== 'parked') return
  const isStale = outcome.status === 'rejected' && outcome.isStale
  const reusedKey = outcome.status === 'rejected' && outcome.reusedKey
  const title = outcome.status === 'rejected' ? 'Rejected' : 'Parked'
  throw new Problem(isStale ? 412 : 409, isStale ? 'Precondition failed' : title, outcome.reason, {
    headers: { 'preference-applied': 'wait' },
    members: { id, outcome: outcome.status, receipt: receiptPath(receipt), ...(reusedKey ? { reusedKey } : {}) },
  })
}

function notAppended(cause: Unavailable, id: string, key: string, receipt: string): Problem {
  const members = { id, idempotencyKey: key, unknown: cause.mayBeWritten, receipt: receiptPath(receipt) }
  if (!cause.mayBeWritten) return nothingDone({ cause, members })
  const detail = 'The log may have the command or not. Repeat it with this Idempotency-Key: it takes effect once.'
  return logUnavailable(detail, { cause, members })
}

/** The time for identifying the caller, a welcome and the append together. The README promises a 503 within 2 s. */
const WITHIN_MS = 1800
/** The log settles by the deadline, and knows whether the command may be written. publish waits this much longer for it. */
const GRACE_MS = 100

/** The deadline of a response that does not wait for an outcome. It counts from the arrival of the request. */
export const deadlineOf = ({ arrived }: Pick<Request, 'arrived'>, clock: Clock): number =>
  (arrived ?? clock.now()) + WITHIN_MS

interface Pending {
  until: number
  reject(error: Unavailable): void
}

/**
 * Returns a function that rejects as "unknown" if the work has not settled shortly after its deadline. One timer serves all deadlines.
 * When the event loop is late, work whose result has already arrived still wins.
 */
function timeLimit(clock: Clock) {
  const all = new Set<Pending>()

  const reject = (pending: Pending) => {
    if (all.has(pending)) pending.reject(new Unavailable('log', 'it did not respond in time', { mayBeWritten: true }))
  }
  const timer = alarm(clock, (now) => {
    let next: number | undefined
    for (const pending of all) {
      if (pending.until <= now) setImmediate(() => setImmediate(reject, pending))
      else if (next === undefined || pending.until < next) next = pending.until
    }
    return next
  })

  return function within<Result>(deadline: number, work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const pending = { until: deadline + GRACE_MS, reject }
      all.add(pending)
      timer.set(pending.until)
      work.then(resolve, reject).finally(() => all.delete(pending))
    })
  }
}
