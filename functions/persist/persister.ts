import { type Clock, DAY_MS } from '#core/clock.ts'
import { textOf } from '#core/cloudevent.ts'
import type { Delivery, Outcome } from '#core/delivery.ts'
import { actsOnLetters } from '#core/letters/action.ts'
import type { Random } from '#core/random.ts'
import { commandTypes } from '#core/registry.ts'
import { isTransient } from '#core/retry.ts'
import type { Store } from '#core/store.ts'
import type { Telemetry } from '#core/telemetry.ts'
import type { Domain } from '#domains/domain.ts'
import { appendApplier } from './append.ts'
import { type Applier, type ApplyResult, DONE } from './applier.ts'
import { attemptCounter } from './attempts.ts'
import { Full } from './batch.ts'
import {
  detailsOf,
  endOf,
  fromSource,
  identityOf,
  isBeyondHorizon,
  type ReceivedCommand,
  readCommand,
  traceIdOf,
  type Unreadable,
  unreadable,
} from './command.ts'
import { decideApplier } from './decide.ts'
import { type DomainBatches, domainBatches } from './domain-batches.ts'
import { judge, type Trust } from './envelope.ts'
import { type DeliveryHistory, deliveryHistory } from './first-delivery.ts'
import { letterApplier } from './letter-applier.ts'
import { type LetterKeeper, letterKeeper } from './letter-keeper.ts'
import type { RedriveParts } from './redrive.ts'
import { type Run, startRun } from './run.ts'

export interface PersisterParts extends Telemetry {
  domains: Domain[]
  store: Store
  clock: Clock
  random: Random
  instance: string
  /** The run that goes on; a new one of this instance by default. */
  run?: Run
  maxInFlight: number
  trust: Trust
}

export interface Persister {
  persist(delivery: Delivery): Promise<Outcome>
  /** Resolves once everything under way is answered. */
  close(): Promise<void>
}

/** What handles one delivery. */
interface Handling extends PersisterParts, RedriveParts {
  history: DeliveryHistory
  batches: DomainBatches
  keeper: LetterKeeper
}

/** Reads a delivery, applies its command with all that is in flight, and answers as a KafkaSource needs it. */
export function persister(parts: PersisterParts): Persister {
  const { domains, clock, trust } = parts
  const history = deliveryHistory(clock)
  const applying: RedriveParts = {
    store: history.watched(parts.store),
    clock,
    random: parts.random,
    logger: parts.logger,
    known: { types: commandTypes(domains), topics: new Map(domains.map((domain) => [domain.topic.name, domain])) },
    judge: judge(trust, new Set(domains.flatMap(({ topic }) => topic.plain ?? []))),
  }
  const run = parts.run ?? startRun(parts.instance, applying)
  const attempts = attemptCounter(run.id, applying)
  const batches = domainBatches({ ...parts, applierOf: (domain) => applierOf(domain, applying), attempts, run })
  const handling: Handling = {
    ...parts,
    ...applying,
    history,
    batches,
    keeper: letterKeeper(applying.store, clock),
  }
  return {
    persist: (delivery) => persistOne(handling, delivery),
    async close() {
      await batches.idle()
      await run.end()
    },
  }
}

function applierOf(domain: Domain, parts: RedriveParts): Applier {
  if (domain.kind === 'decide') return decideApplier(domain, parts)
  return actsOnLetters(domain) ? letterApplier(domain, parts) : appendApplier(domain, parts)
}

/** Handles a delivery, logs what came of it, and waits where a retry has to wait. */
async function persistOne(handling: Handling, delivery: Delivery): Promise<Outcome> {
  const { clock, logger, history } = handling
  const trace = traceIdOf(delivery)
  try {
    const { delayMs = 0, isRepeat: _, report, ...result } = await handle(handling, delivery)
    const outcome = result.status === 422 && isCopy(delivery) ? { status: 204 as const } : result
    const fields = { command: delivery.id, trace, ...outcome, ...report }
    if (outcome.status !== 204) logger.warn(fields, outcome.status === 422 ? 'parked' : 'not applied')
    else logger.debug(fields, result.status === 422 ? 'kept as a letter' : messageOf(report))
    if (outcome.status >= 500) history.refused(delivery.id)
    if (delayMs > 0) await clock.sleep(delayMs)
    return outcome
  } catch (error) {
    history.refused(delivery.id)
    if (isTransient(error) || error instanceof Full) {
      logger.warn({ command: delivery.id, trace, detail: error.message }, 'not applied')
      return { status: 503, detail: error.message }
    }
    logger.error({ command: delivery.id, trace, err: error }, 'not applied')
    return { status: 500, detail: 'internal error' }
  }
}

function messageOf(report: object = {}): string {
  if ('isCopy' in report)
    return 'a copy from the error topic changes nothing: its letter is kept, or was redriven or discarded'
  if ('kept' in report) return 'kept as a letter'
  return endOf(report)
}

/**
 * True for a delivery that came back from the error topic, where a KafkaSource says what went wrong. Its letter is not
 * answered with 422: it would be copied to that topic for ever.
 */
const isCopy = (delivery: Delivery): boolean => delivery.knativeerrordest !== undefined

async function handle(handling: Handling, delivery: Delivery): Promise<ApplyResult> {
  if (!fromSource(delivery)) return { status: 404, detail: 'this did not come from a KafkaSource' }
  const text = textOf(delivery.data)
  const read = readCommand(delivery, handling.known, handling.judge(delivery, text), text)
  const command = read.ok ? identityOf(read.received) : read
  if (isCopy(delivery) && (await handling.keeper.isCopyOfKept(command)))
    return { ...DONE, report: { type: delivery.type, isCopy: true } }
  return read.ok ? await apply(handling, read.received) : await keep(handling, read, delivery)
}

async function apply(handling: Handling, received: ReceivedCommand): Promise<ApplyResult> {
  const { clock, history, batches, keeper, metrics } = handling
  const { domain, command, delivery } = received
  const acceptedAt = Date.parse(command.time)
  if (isBeyondHorizon(received, clock.now())) return await keeper.keepBeyondHorizon(received)
  if (isExpired(domain, clock.now() - acceptedAt)) return DONE
  const result = await batches.add({ received, at: clock.now() })
  if (result.status === 204) {
    const isFirst = history.isFirst(delivery.id, acceptedAt) && result.isRepeat === undefined
    metrics.queueLatency(domain.name, clock.now() - acceptedAt, isFirst)
  }
  return { ...result, report: { ...detailsOf(received, clock.now()), ...result.report } }
}

/** True for a command whose document would be removed at once: it has been there before, or its time has passed. */
const isExpired = (domain: Domain, age: number): boolean =>
  domain.kind === 'append' && age > (domain.documents.retentionDays ?? Number.POSITIVE_INFINITY) * DAY_MS

/** In a decide domain the rest of the stream may depend on it: it is kept in its turn, and parks the stream. */
async function keep({ batches, keeper, clock }: Handling, read: Unreadable, delivery: Delivery): Promise<ApplyResult> {
  const { domain, stream, failure } = read
  if (domain?.kind === 'decide' && stream) {
    return await batches.add({
      received: unreadable(read, domain, stream, delivery),
      at: clock.now(),
      refused: failure,
    })
  }
  return await keeper.keep({ ...read, delivery, domain: domain?.name })
}
