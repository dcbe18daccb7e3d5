import { Conflict } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import { newTopics, type Topics } from './log.ts'
import { type Replicas, replicaSet } from './replicas.ts'
import type { Seen } from './seen.ts'
import type { Io } from './store.ts'
import type { Forecast } from './weather.ts'
import { type Life, life, type World } from './world.ts'

/** All that the parts of a Millrace share, and what may go wrong between them. */
export interface Surroundings {
  world: World
  weather: Forecast
  seen: Seen
  topics: Topics
  replicas: Replicas
  /** A life of its own for each start of what has this name. */
  born(name: string): Life
  /** How calls of a life reach the store and the log. */
  toStore(life: Life): Io
  toLog(life: Life): Io
}

/** After which what a writer has not seen confirmed gets to the other members all the same. */
const REPLICATED_MS = 1000

export function surroundings(world: World, weather: Forecast, seen: Seen): Surroundings {
  const topics = newTopics()
  const replicas = replicaSet(world.now)
  const births = new Map<string, number>()
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
    weather,
    seen,
    topics,
    replicas,

    born(name) {
      const birth = (births.get(name) ?? 0) + 1
      births.set(name, birth)
      return life(world, `${name} ${birth}`)
    },

    toStore: ({ io, random, isAlive }) => {
      return (what, effect) =>
        io(() => {
          if (!isAlive()) seen.count(`${what} of the dead`)
          const luck = random()
          if (weather.is('store away')) throw seen.count('store away', new Unavailable('store', 'away'))
          if (what === 'commit' && luck < 0.5 && weather.is('conflicts'))
            throw seen.count('feigned conflict', new Conflict('another was first'))
          const isUnsure = luck < 0.5 && weather.is('store unsure')
          if (!isUnsure || luck < 0.25) {
            const result = noticing(effect)
            replicate()
            if (!isUnsure) return result
          }
          throw seen.count('store unsure', new Unavailable('store', 'it did not say'))
        })
    },

    toLog: ({ io, random }) => {
      return (what, effect) =>
        io(() => {
          const luck = random()
          if (weather.is('log away')) throw seen.count('log away', new Unavailable('log', 'away'))
          const isUnsure = what === 'append' && luck < 0.5 && weather.is('log unsure')
          if (!isUnsure) return effect()
          if (luck < 0.25) effect()
          throw seen.count('log unsure', new Unavailable('log', 'it did not say', { mayBeWritten: true }))
        })
    },
  }

  function noticing<Result>(effect: () => Result): Result {
    try {
      return effect()
    } catch (error) {
      if (error instanceof Conflict) seen.count('conflict')
      throw error
    }
  }
}
