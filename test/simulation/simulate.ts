import { type Client, newClient, type Sent } from './client.ts'
import type { Action, History } from './history.ts'
import { type Mill, type Plant, startMill } from './mill.ts'
import type { Seen } from './seen.ts'
import { isStray, STRAYS } from './strays.ts'
import { type Surroundings, surroundings } from './surroundings.ts'
import { Violation } from './violation.ts'
import { forecast } from './weather.ts'
import { inWorld } from './world.ts'

/** All that there is to judge a history by, once everything is healed and nothing is left to do. */
export interface Evidence extends Pick<Surroundings, 'topics' | 'replicas' | 'seen'>, Pick<Mill, 'domains'> {
  sent: Sent[]
  crashes: number
  /** What the receipts say in the end, by their addresses. */
  outcomes: Map<string, string>
}

/** Long enough for all retries of what went wrong for minutes. */
const DRAINED_WITHIN_MS = 3_600_000
const MOST_ROUNDS = 30

/** Plays a history, heals what it has broken, waits until all is delivered, and redrives what is left. */
export function simulate(history: History, seen: Seen, plant: Plant = {}): Promise<Evidence> {
  return inWorld(history.seed, async (world) => {
    const around = surroundings(world, forecast(world.now), seen)
    const mill = await startMill(around, history.isImpatient, plant)
    const client = newClient(mill)
    const underWay = new Set<Promise<void>>()
    let broken: unknown

    function begin(work: Promise<void>): void {
      const noting = (error: unknown) => {
        broken ??= error
      }
      const done = work.catch(noting).finally(() => underWay.delete(done))
      underWay.add(done)
    }

    async function until(isSo: () => boolean, what: string): Promise<void> {
      const became = await world.until(() => broken !== undefined || isSo(), DRAINED_WITHIN_MS)
      if (broken) throw broken
      if (!became) throw new Violation('drained', what)
    }

    /** Until it is done, and so is all that it has put into the log. */
    async function finish(work: Promise<void>): Promise<void> {
      begin(work)
      await until(() => underWay.size === 0, 'what was begun does not end')
      await until(mill.sources.areDrained, 'the log does not drain')
    }

    begin(play(history, (action) => begin(act(action, around, mill, client))))
    await until(() => underWay.size === 0, 'the history does not end')
    around.weather.clear()
    await finish(mill.processes.deploy(true))
    for (let round = 0; around.replicas.read('letters').size > 0 && round < MOST_ROUNDS; round++) {
      await finish(redriveAll(client))
      await finish(discardStray(client))
    }
    const outcomes = new Map<string, string>()
    await finish(readAll(client, outcomes))
    return { ...around, domains: mill.domains, sent: client.sent, crashes: mill.processes.crashes(), outcomes }

    async function play({ actions }: History, begin: (action: Action) => void): Promise<void> {
      for (const { after, action } of actions) {
        await mill.clock.sleep(after)
        begin(action)
      }
    }
  })
}

async function act(action: Action, around: Surroundings, mill: Mill, client: Client): Promise<void> {
  const { seen, topics, weather, replicas, world } = around
  seen.count(action.do)
  switch (action.do) {
    case 'send':
      return await client.send(action.asked)
    case 'stray':
      seen.count(action.stray)
      return STRAYS[action.stray](topics, world.now())
    case 'weather':
      return weather.begin(action.weather, action.ms)
    case 'crash':
      return mill.processes.crash(action.at)
    case 'rebalance':
      return await mill.sources.rebalance(action.at)
    case 'failover':
      if (replicas.failover() > 0) seen.count('rolled back')
      return
    case 'deploy':
      return await mill.processes.deploy(action.isMended)
    case 'redrive': {
      const by = (await client.letters())[action.letter]?.[action.by]
      if (by) await client.order('redrive', { [action.by]: String(by).slice(0, 300) })
      return
    }
    case 'discard': {
      const letter = (await client.letters())[action.letter]
      if (letter) await client.order('discard', { id: letter.id, reason: 'never meant' })
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

/** The first of those that nobody can apply: it may have been in the way of others. */
async function discardStray(client: Client): Promise<void> {
  const stray = (await client.letters()).find(isStray)
  if (stray) await client.order('discard', { id: stray.id, reason: 'a stray' })
}

async function readAll({ sent, outcomeOf }: Client, outcomes: Map<string, string>): Promise<void> {
  for (const { receipt } of sent) if (receipt) outcomes.set(receipt, await outcomeOf(receipt))
}
