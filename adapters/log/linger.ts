import { type Clock, OVER } from '#core/clock.ts'

/** A send that has ended. */
export interface EndedSend {
  /** The number of items that it took. */
  sent: number
  /** The number of items that wait after it. */
  waiting: number
  tookMs: number
}

export interface Pause {
  forMs: number
  /** The pause ends early when so many items wait. */
  enough: number
}

const MAX_PAUSE_MS = 8
/** With fewer items in two sends, a pause would hardly save a send. */
const MIN_ITEMS = 4
/** Larger sends gain little from a pause. */
const MAX_ITEMS = 250

/**
 * The pause between a send and the next one. Callers whose items were sent need a moment to append again, and a send that starts at
 * once misses them. A pause is at most as long as the send took. It ends when as many items wait as the send and its queue had:
 * then each caller of a closed loop is back.
 */
export function pauseAfter({ sent, waiting, tookMs }: EndedSend): Pause | undefined {
  const items = sent + waiting
  if (items < MIN_ITEMS || items > MAX_ITEMS || tookMs <= 0) return undefined
  return { forMs: Math.min(tookMs, MAX_PAUSE_MS), enough: items }
}

export interface Lingering {
  /** Resolves when the next send may start. */
  after(send: EndedSend): Promise<void>
  /** Ends the pause if this number of waiting items is enough. */
  endIfEnough(waiting: number): void
  /** Ends the pause, and makes none after it. */
  stop(): void
}

/** The pauses of a lane. They count from the end of a send, so that an item which arrives later does not wait. */
export function lingering(clock: Clock): Lingering {
  let current: { enough: number; ended: AbortController } | undefined
  let isStopped = false
  return {
    async after(send) {
      const pause = isStopped ? undefined : pauseAfter(send)
      if (!pause) return
      const ended = new AbortController()
      current = { enough: pause.enough, ended }
      await clock.sleep(pause.forMs, ended.signal)
      current = undefined
    },
    endIfEnough(waiting) {
      if (current && waiting >= current.enough) current.ended.abort(OVER)
    },
    stop() {
      isStopped = true
      current?.ended.abort(OVER)
    },
  }
}
