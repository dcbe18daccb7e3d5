import { backgroundFaults } from './background-faults.ts'
import { type Client, newClient, type Sent } from './client.ts'
import type { Coverage } from './coverage.ts'
import { type Environment, newEnvironment } from './environment.ts'
import type { Action, History } from './history.ts'
import { isStray, STRAYS } from './strays.ts'
import { type Plant, type System, startSystem } from './system.ts'
import { Violation } from './violation.ts'
import { inWorld } from './world.ts'

/** The state after a history, once all faults have ended and all work is done. */
export interface Evidence extends Pick<Environment, 'topics' | 'replicas' | 'coverage'>, Pick<System, 'domains'> {
  sent: Sent[]
  crashes: number
  /** The final outcomes in the receipts, by address. */
  outcomes: Map<string, string>
}

/** A time in which all retries after minutes of faults end. */
const DRAINED_WITHIN_MS = 3_600_000
const MAX_ROUNDS = 30

/** Plays a history, ends its faults, waits until everything is delivered, and redrives the letters that are left. */
export function simulate(history: History, coverage: Coverage, plant: Plant = {}): Promise<Evidence> {
  return inWorld(history.seed, async (world) => {
    const environment = newEnvironment(world, backgroundFaults(world.now), coverage)
    const system = await startSystem(environment, history.isImpatient, plant)
    const client = newClient(system)
    const pending = new Set<Promise<void>>()
    let broken: unknown

    function begin(work: Promise<void>): void {
      const noting = (error: unknown) => {
        broken ??= error
      }
      const done = work.catch(noting).finally(() => pending.delete(done))
      pending.add(done)
    }

    async function until(condition: () => boolean, what: string): Promise<void> {
      const became = await world.until(() => broken !== undefined || condition(), DRAINED_WITHIN_MS)
      if (broken) throw broken
      if (!became) throw new Violation('drained', what)
    }

    /** Waits for the work, and for the delivery of all that it has appended to the log. */
    async function finish(work: Promise<void>): Promise<void> {
      begin(work)
      await until(() => pending.size === 0, 'the work does not end')
      await until(system.sources.areDrained, 'the log does not drain')
    }

    begin(play(history, (action) => begin(act(action, environment, system, client))))
    await until(() => pending.size === 0, 'the history does not end')
    environment.faults.clear()
    await finish(system.processes.deploy(true))
    for (let round = 0; environment.replicas.read('letters').size > 0 && round < MAX_ROUNDS; round++) {
      await finish(redriveAll(client))
      await finish(discardStray(client))
    }
    const outcomes = new Map<string, string>()
    await finish(readAll(client, outcomes))
    return { ...environment, domains: system.domains, sent: client.sent, crashes: system.processes.crashes(), outcomes }

    async function play({ actions }: History, begin: (action: Action) => void): Promise<void> {
      for (const { after, action } of actions) {
        await system.clock.sleep(after)
        begin(action)
      }
    }
  })
}

async function act(action: Action, environment: Environment, system: System, client: Client): Promise<void> {
  const { coverage, topics, faults, replicas, world } = environment
  coverage.count(action.do)
  switch (action.do) {
    case 'send':
      return await client.send(action.request)
    case 'stray':
      coverage.count(action.stray)
      return STRAYS[action.stray](topics, world.now())
    case 'background fault':
      return faults.begin(action.fault, action.ms)
    case 'crash':
      return system.processes.crash(action.at)
    case 'rebalance':
      return await system.sources.rebalance(action.at)
    case 'failover':
      if (replicas.failover() > 0) coverage.count('rolled back')
      return
    case 'deploy':
      return await system.processes.deploy(action.isMended)
    case 'redrive': {
      const by = (await client.letters())[action.letter]?.[action.by]
      if (by) await client.order('redrive', { [action.by]: String(by).slice(0, 300) })
      return
    }
    case 'discard': {
      const letter = (await client.letters())[action.letter]
      if (letter) await client.order('discard', { id: letter.id, reason: 'a mistake' })
      return
    }
    default:
      action satisfies never
  }
}

async function redriveAll(client: Client): Promise<void> {
  for (const domain of new Set((await client.letters()).map(({ domain }) => domain)))
    if (domain) await client.order('redrive', { domain })
}

/** Discards the first letter that can never be applied, since it may block others, or that acts on letters, which is not redriven. */
async function discardStray(client: Client): Promise<void> {
  const stray = (await client.letters()).find((letter) => isStray(letter) || letter.domain === 'letters')
  if (stray) await client.order('discard', { id: stray.id, reason: 'a stray' })
}

async function readAll({ sent, outcomeOf }: Client, outcomes: Map<string, string>): Promise<void> {
  for (const { receipt } of sent) if (receipt) outcomes.set(receipt, await outcomeOf(receipt))
}
