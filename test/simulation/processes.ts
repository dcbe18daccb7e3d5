import { eventOf } from '#core/cloudevent.ts'
import { type Persister, persister } from '#functions/persist/persister.ts'
import type { Posting } from '#local/kafka-source/request.ts'
import { quiet } from '../telemetry.ts'
import { wary } from '../trust.ts'
import { domainsOf } from './domains.ts'
import type { Plant } from './mill.ts'
import { simulatedStore } from './store.ts'
import type { Surroundings } from './surroundings.ts'
import type { Life } from './world.ts'

interface Process {
  instance: string
  life: Life
  persister: Persister
  /** Resolves when it is killed. */
  gone: Promise<undefined>
  kill(): void
}

/** The processes of persist, any of which takes a delivery. */
export interface Processes {
  /** Resolves with the status; never, or with none, where the process is killed first. */
  deliver(posting: Posting, luck: number): Promise<number | undefined>
  crash(at: number): void
  crashes(): number
  /** Each gets time to end what it is at, as in a rollout. */
  deploy(isMended: boolean): Promise<void>
}

const COUNT = 2
const RESTART_MS = 2000
const DRAIN_MS = 30_000

export function startProcesses(around: Surroundings, plant: Plant): Processes {
  const { world, weather, seen, replicas, born, toStore } = around
  let isMended = false
  let instances = 0
  let crashes = 0

  function start(instance: string): Process {
    const life = born(instance)
    const { promise: gone, resolve } = Promise.withResolvers<undefined>()
    const kill = () => {
      life.kill()
      resolve(undefined)
    }
    const crash = () => {
      seen.count('crash of a command')
      crashed(process)
    }
    const store = simulatedStore(replicas, toStore(life))
    const real = persister({
      ...quiet(),
      domains: domainsOf({ isMended, crash }, plant),
      store: plant.store?.(store) ?? store,
      clock: life.clock,
      random: world.random(instance),
      instance,
      maxInFlight: 20,
      trust: plant.trust ?? wary,
    })
    const process: Process = { instance, life, persister: plant.persist?.(real) ?? real, gone, kill }
    return process
  }

  const processes = Array.from({ length: COUNT }, () => start(`persist-${++instances}`))

  /** It is gone at once, and its successor is there a little later. */
  function crashed(process: Process): void {
    if (!process.life.isAlive()) return
    process.kill()
    crashes++
    world.later(RESTART_MS, () => {
      const at = processes.indexOf(process)
      if (at >= 0) processes[at] = start(process.instance)
    })
  }

  async function deliverTo({ life, persister, gone }: Process, posting: Posting): Promise<number | undefined> {
    if (!life.isAlive()) return undefined
    const event = eventOf(posting.headers, Buffer.from(posting.body ?? ''))
    const outcome = await Promise.race([persister.persist(event), gone])
    return outcome?.status
  }

  return {
    deliver(posting, luck) {
      const at = Math.floor(luck * COUNT)
      if (weather.is('zombies')) {
        seen.count('zombie')
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
