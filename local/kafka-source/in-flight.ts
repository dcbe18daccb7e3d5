import type { Clock } from '#core/clock.ts'

/** A counting semaphore; waiters get their permits first come, first served. */
export interface Semaphore {
  /** Returns undefined if a permit is free, else a promise of one. */
  acquire(): Promise<void> | undefined
  release(): void
}

export function semaphore(permits: number): Semaphore {
  const waiting: (() => void)[] = []
  let free = permits
  return {
    acquire() {
      if (free === 0) return new Promise((resolve) => waiting.push(resolve))
      free--
      return undefined
    },
    release() {
      const next = waiting.shift()
      if (next) next()
      else free++
    },
  }
}

/**
 * The committable offset of a partition: everything before it is finished. Deliveries finish in any order and offsets may
 * have gaps. Only unfinished offsets are stored, so a record that is retried for days costs no memory for the millions of
 * records that overtake it.
 */
export interface OffsetTracker {
  /** Called in the order of reading. An offset smaller than the previous one means that the partition is read again from there. */
  begin(offset: number): void
  finish(offset: number): void
  /** The offset to commit; undefined if it is committed already. */
  ready(): number | undefined
  committed(offset: number): void
}

export function offsetTracker(): OffsetTracker {
  const unfinished = new Set<number>()
  let next: number | undefined
  let done: number | undefined
  return {
    begin(offset) {
      if (next !== undefined && offset < next) {
        unfinished.clear()
        done = undefined
      }
      unfinished.add(offset)
      next = offset + 1
    },
    finish: (offset) => void unfinished.delete(offset),
    ready() {
      const [first] = unfinished
      const offset = first ?? next
      return offset === done ? undefined : offset
    },
    committed(offset) {
      done = offset
    },
  }
}

export interface PendingRequest {
  deadline: number
  abort(): void
}

export interface RequestTimeouts {
  /** Calls `abort` after the time-out unless the request ends first. */
  begin(abort: () => void): PendingRequest
  end(request: PendingRequest): void
  /** Aborts every request now. */
  abortAll(): void
  /** No request is aborted any more. */
  stop(): void
}

/** All requests have the same time-out, so the oldest is always due first and one timer serves them all. */
export function requestTimeouts(clock: Clock, timeoutMs: number): RequestTimeouts {
  const pending = new Set<PendingRequest>()
  const stopped = new AbortController()
  let isWatching = false

  async function watch(): Promise<void> {
    isWatching = true
    for (const request of pending) {
      await clock.sleep(Math.max(0, request.deadline - clock.now()), stopped.signal)
      if (stopped.signal.aborted) return
      if (pending.delete(request)) request.abort()
    }
    isWatching = false
  }

  return {
    begin(abort) {
      const request = { deadline: clock.now() + timeoutMs, abort }
      pending.add(request)
      if (!isWatching) void watch()
      return request
    },
    end: (request) => void pending.delete(request),
    abortAll() {
      for (const request of pending) request.abort()
    },
    stop: () => stopped.abort(),
  }
}
