import type { Clock } from '#core/clock.ts'

export interface Call {
  due: number
  abort(): void
}

export interface Deadlines {
  /** `abort` is called in `ms` unless the call ends before. */
  begin(abort: () => void): Call
  end(call: Call): void
  /** Nothing is aborted any more. */
  stop(): void
}

/** All calls may take equally long, so the oldest is due first and one sleeper is enough for any number of them. */
export function deadlines(clock: Clock, ms: number): Deadlines {
  const calls = new Set<Call>()
  const stopped = new AbortController()
  let watching = false

  async function watch(): Promise<void> {
    watching = true
    for (const call of calls) {
      await clock.sleep(Math.max(0, call.due - clock.now()), stopped.signal)
      if (stopped.signal.aborted) return
      if (calls.delete(call)) call.abort()
    }
    watching = false
  }

  return {
    begin(abort) {
      const call = { due: clock.now() + ms, abort }
      calls.add(call)
      if (!watching) void watch()
      return call
    },
    end: (call) => void calls.delete(call),
    stop: () => stopped.abort(),
  }
}
