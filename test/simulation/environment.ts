import { Conflict } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import type { BackgroundFaults } from './background-faults.ts'
import type { Coverage } from './coverage.ts'
import { newTopics, type Topics } from './log.ts'
import { type Replicas, replicaSet } from './replicas.ts'
import type { Io } from './store.ts'
import { type ProcessRun, startRun, type World } from './world.ts'

/** The state that the parts of a simulated Millrace share, and the faults between them. */
export interface Environment {
  world: World
  faults: BackgroundFaults
  coverage: Coverage
  topics: Topics
  replicas: Replicas
  /** A new run of the process with this name. */
  newRun(name: string): ProcessRun
  /** The calls of a run to the store and to the log. */
  toStore(run: ProcessRun): Io
  toLog(run: ProcessRun): Io
}

/** The time after which a write is replicated to a majority, even if its writer does not wait for it. */
const REPLICATED_MS = 1000

export function newEnvironment(world: World, faults: BackgroundFaults, coverage: Coverage): Environment {
  const topics = newTopics()
  const replicas = replicaSet(world.now)
  const numbers = new Map<string, number>()
  let isReplicating = false

  function replicate(): void {
    if (isReplicating) return
    isReplicating = true
    world.later(REPLICATED_MS, () => {
      isReplicating = false
      replicas.confirmAll()
    })
  }

  return {
    world,
    faults,
    coverage,
    topics,
    replicas,

    newRun(name) {
      const number = (numbers.get(name) ?? 0) + 1
      numbers.set(name, number)
      return startRun(world, `${name} ${number}`)
    },

    toStore: ({ io, random, isAlive }) => {
      return (what, effect) =>
        io(() => {
          if (!isAlive()) coverage.count(`${what} of a killed process`)
          const chance = random()
          if (faults.isActive('store unavailable'))
            throw coverage.count('store unavailable', new Unavailable('store', 'unavailable'))
          if (what === 'commit' && chance < 0.5 && faults.isActive('conflicts'))
            throw coverage.count('injected conflict', new Conflict('injected'))
          const isAmbiguous = chance < 0.5 && faults.isActive('store ambiguous')
          if (!isAmbiguous || chance < 0.25) {
            const result = countingConflicts(effect)
            replicate()
            if (!isAmbiguous) return result
          }
          throw coverage.count('store ambiguous', new Unavailable('store', 'no response'))
        })
    },

    toLog: ({ io, random }) => {
      return (what, effect) =>
        io(() => {
          const chance = random()
          if (faults.isActive('log unavailable'))
            throw coverage.count('log unavailable', new Unavailable('log', 'unavailable'))
          const isAmbiguous = what === 'append' && chance < 0.5 && faults.isActive('log ambiguous')
          if (!isAmbiguous) return effect()
          if (chance < 0.25) effect()
          throw coverage.count('log ambiguous', new Unavailable('log', 'no response', { mayBeWritten: true }))
        })
    },
  }

  function countingConflicts<Result>(effect: () => Result): Result {
    try {
      return effect()
    } catch (error) {
      if (error instanceof Conflict) coverage.count('conflict')
      throw error
    }
  }
}
