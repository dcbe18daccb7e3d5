import { topics as topicsOf } from '#core/kafka-source-policy.ts'
import type { Log } from '#core/log.ts'
import { addresses } from '#core/receipts.ts'
import type { Store } from '#core/store.ts'
import { waiting } from '#core/waiting.ts'
import type { Domain } from '#domains/domain.ts'
import type { Persister } from '#functions/persist/persister.ts'
import type { Trust } from '#functions/persist/verdict.ts'
import { publisher } from '#functions/publish/publisher.ts'
import { submitter } from '#functions/publish/submit.ts'
import { withWelcome } from '#functions/publish/welcome.ts'
import { querier } from '#functions/query/querier.ts'
import { quiet } from '../telemetry.ts'
import { SEALS } from '../trust.ts'
import { domainsOf, NEWEST } from './domains.ts'
import { simulatedLog } from './log.ts'
import { callerOf } from './people.ts'
import { startProcesses } from './processes.ts'
import { startSources } from './sources.ts'
import { simulatedStore } from './store.ts'
import type { Surroundings } from './surroundings.ts'

/** What a test changes about the real code, to see whether the simulation notices. */
export interface Plant {
  /** What persist sees of the store. */
  store?(store: Store): Store
  persist?(persister: Persister): Persister
  trust?: Trust
  /** The rules, of which the judge then has the same. */
  rules?(domain: Domain): Domain
  /** What query sees of the store. */
  reads?(store: Store): Store
  /** What publish sees of the log. */
  append?(append: Log['append']): Log['append']
}

export type Mill = Awaited<ReturnType<typeof startMill>>

/** A Millrace in a world: the real publish, persist, query and sources on the simulated log and store. */
export async function startMill(around: Surroundings, isImpatient: boolean, plant: Plant) {
  const { world, topics, replicas, born, toStore, toLog } = around
  const domains = domainsOf(NEWEST, plant)
  for (const { name, partitions } of topicsOf(domains)) topics.ensure(name, partitions)
  const { clock, ...life } = born('publish and query')
  const store = simulatedStore(replicas, toStore({ clock, ...life }))
  const log = simulatedLog(topics, toLog({ clock, ...life }), world.now)
  const shared = {
    ...quiet(),
    domains,
    callerOf,
    clock,
    addresses: addresses('a secret'),
    seals: SEALS,
    waiting: waiting(store, domains, clock),
  }
  const publishing = { ...shared, log: { append: plant.append?.(log.append) ?? log.append } }
  const processes = startProcesses(around, plant)
  return {
    ...shared,
    /** Two instances, neither of which knows what the other has taken. */
    publishers: [0, 1].map(() => publisher(publishing, withWelcome(domains, submitter(publishing), shared.logger))),
    query: querier({
      ...shared,
      store: plant.reads?.(store) ?? store,
      faults: false,
      descriptions: {},
    }),
    processes,
    sources: await startSources(around, domains, processes, isImpatient),
  }
}
