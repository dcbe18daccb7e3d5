import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import type { Clock } from '#core/clock.ts'

/** A scheduler with simulated time. It runs tasks in the order of their times. */
export interface World {
  now(): number
  /** Calls `run` in `ms`. The returned function cancels it. */
  later(ms: number, run: () => void): () => void
  /** Runs tasks until the condition holds. Resolves with false if it does not hold within `ms`, or no task is left. */
  until(condition: () => boolean, ms: number): Promise<boolean>
  /** The random numbers from 0 to 1 of this name, which are the same for the same seed. */
  random(name: string): () => number
}

/** A run of a process. After it is killed, none of its calls and pauses resolve. */
export interface ProcessRun {
  clock: Clock
  random(): number
  /** Executes `effect` after a latency, and resolves with its result after another one. */
  io<Result>(effect: () => Result): Promise<Result>
  isAlive(): boolean
  kill(): void
}

interface ScheduledTask {
  due: number
  run: (() => void) | undefined
}

const BEGIN = Date.UTC(2030, 0, 1)

/**
 * Runs `scenario` with simulated time, so that the same seed gives the same run. Randomness comes from the seed, and
 * `setImmediate` is scheduled like everything else.
 */
export async function inWorld<Result>(seed: number, scenario: (world: World) => Promise<Result>): Promise<Result> {
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
  // Outages are thrown by the thousand, and their stacks are never read.
  Error.stackTraceLimit = 2
  try {
    return await scenario(world)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    Math.random = real.random
    crypto.randomUUID = real.uuid
    globalThis.setImmediate = real.setImmediate
    syncBuiltinESMExports()
  }
}

function newWorld(seed: number): World {
  const queue: ScheduledTask[] = []
  let now = BEGIN

  function later(ms: number, run: () => void): () => void {
    const task: ScheduledTask = { due: now + Math.max(0, ms), run }
    let [low, high] = [0, queue.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((queue[middle] as ScheduledTask).due > task.due) low = middle + 1
      else high = middle
    }
    queue.splice(low, 0, task)
    return () => {
      task.run = undefined
    }
  }

  return {
    now: () => Math.floor(now),
    later,
    async until(condition, ms) {
      const end = now + ms
      for (;;) {
        // The tick comes after all promises have settled.
        await new Promise<void>((resolve) => process.nextTick(resolve))
        if (condition()) return true
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

/** mulberry32 with a state for each name, so that processes do not change each other's numbers. */
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

/** A latency: mostly short, sometimes long, and rarely longer than any time-out. */
function latency(random: () => number): number {
  const kind = random()
  return random() * (kind < 0.9 ? 5 : kind < 0.995 ? 300 : 20_000)
}

export function startRun(world: World, name: string): ProcessRun {
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
        // A request that was sent before the kill may arrive or not.
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
            cancel()
            signal?.removeEventListener('abort', wake)
            if (isAlive) resolve()
          }
          const cancel = world.later(ms, wake)
          signal?.addEventListener('abort', wake)
        }),
    },
  }
}
