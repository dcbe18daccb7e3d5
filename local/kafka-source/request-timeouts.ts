import type { Clock } from '#core/clock.ts'

export interface PendingRequest {
  deadline: number
  abort(): void
}

export interface RequestTimeouts {
  /** Calls `abort` after the time-out unless the request ends first. */
  begin(abort: () => void): PendingRequest
  end(request: PendingRequest): void
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
    stop: () => stopped.abort(),
  }
}
