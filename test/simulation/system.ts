import { topics as topicsOf } from '#core/kafka-source-policy.ts'
import type { Log } from '#core/log.ts'
import { addresses } from '#core/receipts.ts'
import type { Store } from '#core/store.ts'
import { waiting } from '#core/waiting.ts'
import type { Domain } from '#domains/domain.ts'
import type { Trust } from '#functions/persist/envelope.ts'
import type { Persister } from '#functions/persist/persister.ts'
import { publisher, withWelcome } from '#functions/publish/publisher.ts'
import { submitter } from '#functions/publish/submit.ts'
import { querier } from '#functions/query/querier.ts'
import { quiet } from '../telemetry.ts'
import { SEALS } from '../trust.ts'
import { domainsOf, NEWEST } from './domains.ts'
import type { Environment } from './environment.ts'
import { simulatedLog } from './log.ts'
import { callerOf } from './people.ts'
import { startProcesses } from './processes.ts'
import { startSources } from './sources.ts'
import { simulatedStore } from './store.ts'

/** A change of the real code that the simulation must detect. */
export interface Plant {
  /** The store that persist uses. */
  store?(store: Store): Store
  persist?(persister: Persister): Persister
  trust?: Trust
  /** The rules, for persist and for the judge alike. */
  rules?(domain: Domain): Domain
  /** The store that query uses. */
  reads?(store: Store): Store
  /** The log that publish uses. */
  append?(append: Log['append']): Log['append']
}

export type System = Awaited<ReturnType<typeof startSystem>>

/** A simulated Millrace: the real publish, persist, query and sources on the simulated log and store. */
export async function startSystem(environment: Environment, isImpatient: boolean, plant: Plant) {
  const { world, topics, replicas, newRun, toStore, toLog } = environment
  const domains = domainsOf(NEWEST, plant)
  for (const { name, partitions } of topicsOf(domains)) topics.ensure(name, partitions)
  const { clock, ...run } = newRun('publish and query')
  const store = simulatedStore(replicas, toStore({ clock, ...run }))
  const log = simulatedLog(topics, toLog({ clock, ...run }), world.now)
  const shared = {
    ...quiet(),
    domains,
    callerOf,
    clock,
    random: Math.random,
    addresses: addresses('a secret'),
    seals: SEALS,
    waiting: waiting(store, domains, clock),
  }
  const publishing = { ...shared, log: { append: plant.append?.(log.append) ?? log.append } }
  const processes = startProcesses(environment, plant)
  return {
    ...shared,
    /** Two instances, which do not share what they remember of keys. */
    publishers: [0, 1].map(() => publisher(publishing, withWelcome(domains, submitter(publishing), shared.logger))),
    query: querier({
      ...shared,
      store: plant.reads?.(store) ?? store,
      faults: false,
      descriptions: {},
    }),
    processes,
    sources: await startSources(environment, domains, processes, isImpatient),
  }
}
