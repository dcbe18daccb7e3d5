import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import type { Clock } from '#core/clock.ts'

/** Where all that happens, happens in the order of its time, and time is whatever is due next. */
export interface World {
  now(): number
  /** Calls `run` in `ms`; what it returns calls it off. */
  later(ms: number, run: () => void): () => void
  /** Lets things happen, one by one, until it is so. False: it did not become so in `ms`, or nothing is left to happen. */
  until(isSo: () => boolean, ms: number): Promise<boolean>
  /** Numbers from 0 to 1 of its own for each name, the same ones in each run of a seed. */
  random(name: string): () => number
}

/** A process. Nothing that it has begun comes back to it once it is killed, and nobody tells it. */
export interface Life {
  clock: Clock
  random(): number
  /** Asks something of the world: some time later `effect` happens, and its result comes back. */
  io<Result>(effect: () => Result): Promise<Result>
  isAlive(): boolean
  kill(): void
}

interface Happening {
  due: number
  run: (() => void) | undefined
}

const BEGIN = Date.UTC(2030, 0, 1)

/**
 * Runs `story` in a world of its own, in which the same seed is the same story: chance comes from the seed, and the event loop's
 * own queue is the world's, so that a batch waits for its turn like all else.
 */
export async function inWorld<Result>(seed: number, story: (world: World) => Promise<Result>): Promise<Result> {
  const world = newWorld(seed)
  const real = { random: Math.random, uuid: crypto.randomUUID, setImmediate: globalThis.setImmediate }
  const { stackTraceLimit } = Error
  const chance = world.random('chance')
  const uuid = () => {
    const digits = Array.from({ length: 3 }, () =>
      Math.floor(chance() * 2 ** 40)
        .toString(16)
        .padStart(10, '0'),
    ).join('')
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(12, 15)}-8${digits.slice(15, 18)}-${digits.slice(18, 30)}` as const
  }
  Math.random = chance
  crypto.randomUUID = uuid
  globalThis.setImmediate = ((run: () => void) => world.later(0, run)) as never
  syncBuiltinESMExports()
  // Outages are thrown by the thousand, and nobody looks where.
  Error.stackTraceLimit = 2
  try {
    return await story(world)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    Math.random = real.random
    crypto.randomUUID = real.uuid
    globalThis.setImmediate = real.setImmediate
    syncBuiltinESMExports()
  }
}

function newWorld(seed: number): World {
  const queue: Happening[] = []
  let now = BEGIN

  function later(ms: number, run: () => void): () => void {
    const happening: Happening = { due: now + Math.max(0, ms), run }
    let [low, high] = [0, queue.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((queue[middle] as Happening).due > happening.due) low = middle + 1
      else high = middle
    }
    queue.splice(low, 0, happening)
    return () => {
      happening.run = undefined
    }
  }

  return {
    now: () => Math.floor(now),
    later,
    async until(isSo, ms) {
      const end = now + ms
      for (;;) {
        // A tick comes when no promise has anything left to do.
        await new Promise<void>((resolve) => process.nextTick(resolve))
        if (isSo()) return true
        let next = queue.pop()
        while (next && !next.run) next = queue.pop()
        if (!next) return false
        if (next.due > end) {
          queue.push(next)
          now = end
          return false
        }
        now = next.due
        next.run?.()
      }
    },
    random: (name) => numbers(seed, name),
  }
}

/** mulberry32, begun anew for each name, so that what one process does changes no other's luck. */
function numbers(seed: number, name: string): () => number {
  let state = seed
  for (const letter of name) state = Math.imul(state ^ letter.charCodeAt(0), 0x9e3779b1)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Most answers take a moment, some a while, and a few so long that others have given up on them. */
function latency(random: () => number): number {
  const kind = random()
  return random() * (kind < 0.9 ? 5 : kind < 0.995 ? 300 : 20_000)
}

export function life(world: World, name: string): Life {
  let isAlive = true
  const random = world.random(name)
  return {
    random,
    isAlive: () => isAlive,
    kill() {
      isAlive = false
    },
    io: (effect) =>
      new Promise((resolve, reject) => {
        // What was sent before the kill may arrive or not.
        const isSent = random() < 0.5
        world.later(latency(random), () => {
          if (!isAlive && !isSent) return
          try {
            const result = effect()
            if (isAlive) resolve(result)
          } catch (error) {
            if (isAlive) reject(error)
          }
        })
      }),
    clock: {
      now: world.now,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve()
          const wake = () => {
            callOff()
            signal?.removeEventListener('abort', wake)
            if (isAlive) resolve()
          }
          const callOff = world.later(ms, wake)
          signal?.addEventListener('abort', wake)
        }),
    },
  }
}
