import { toDelivery } from '#core/cloudevent.ts'
import { type Persister, persister } from '#functions/persist/persister.ts'
import type { CloudEventRequest } from '#local/kafka-source/record-to-request.ts'
import { quiet } from '../telemetry.ts'
import { wary } from '../trust.ts'
import { domainsOf } from './domains.ts'
import type { Environment } from './environment.ts'
import { simulatedStore } from './store.ts'
import type { Plant } from './system.ts'
import type { ProcessRun } from './world.ts'

interface Process {
  instance: string
  run: ProcessRun
  persister: Persister
  /** Resolves when the process is killed. */
  gone: Promise<undefined>
  kill(): void
}

/** The processes of persist. Each delivery goes to one of them. */
export interface Processes {
  /** Resolves with the status. If the process is killed first, it never resolves, or without a status. */
  deliver(posting: CloudEventRequest, chance: number): Promise<number | undefined>
  crash(at: number): void
  crashes(): number
  /** Replaces each process after it has had time to drain, as in a rollout. */
  deploy(isMended: boolean): Promise<void>
}

const COUNT = 2
const RESTART_MS = 2000
const DRAIN_MS = 30_000

export function startProcesses(environment: Environment, plant: Plant): Processes {
  const { world, faults, coverage, replicas, newRun, toStore } = environment
  let isMended = false
  let instances = 0
  let crashes = 0

  function start(instance: string): Process {
    const run = newRun(instance)
    const { promise: gone, resolve } = Promise.withResolvers<undefined>()
    const kill = () => {
      run.kill()
      resolve(undefined)
    }
    const crash = () => {
      coverage.count('crash of a command')
      crashed(process)
    }
    const store = simulatedStore(replicas, toStore(run))
    const real = persister({
      ...quiet(),
      domains: domainsOf({ isMended, crash }, plant),
      store: plant.store?.(store) ?? store,
      clock: run.clock,
      random: world.random(instance),
      instance,
      maxInFlight: 20,
      trust: plant.trust ?? wary,
    })
    const process: Process = { instance, run, persister: plant.persist?.(real) ?? real, gone, kill }
    return process
  }

  const processes = Array.from({ length: COUNT }, () => start(`persist-${++instances}`))

  /** Kills the process at once, and starts its successor a little later. */
  function crashed(process: Process): void {
    if (!process.run.isAlive()) return
    process.kill()
    crashes++
    world.later(RESTART_MS, () => {
      const at = processes.indexOf(process)
      if (at >= 0) processes[at] = start(process.instance)
    })
  }

  async function deliverTo({ run, persister, gone }: Process, posting: CloudEventRequest): Promise<number | undefined> {
    if (!run.isAlive()) return undefined
    const event = toDelivery(posting.headers, Buffer.from(posting.body ?? ''))
    const outcome = await Promise.race([persister.persist(event), gone])
    return outcome?.status
  }

  return {
    deliver(posting, chance) {
      const at = Math.floor(chance * COUNT)
      if (faults.isActive('zombies')) {
        coverage.count('zombie')
        void deliverTo(processes[(at + 1) % COUNT] as Process, posting)
      }
      return deliverTo(processes[at] as Process, posting)
    },
    crash: (at) => crashed(processes[at % COUNT] as Process),
    crashes: () => crashes,
    async deploy(mended) {
      isMended ||= mended
      for (const [at, process] of processes.entries()) {
        processes[at] = start(`persist-${++instances}`)
        const { promise: late, resolve } = Promise.withResolvers<void>()
        const inTime = world.later(DRAIN_MS, resolve)
        await Promise.race([process.persister.close(), process.gone, late])
        inTime()
        process.kill()
      }
    },
  }
}
