import { Agent, type Dispatcher } from 'undici'
import type { Clock } from '#core/clock.ts'
import { type Deadlines, deadlines } from './request-timeouts.ts'
import type { Posting } from './record-to-request.ts'

export interface Answer {
  /** undefined: no connection, or no whole answer in time. */
  status: number | undefined
  /** The first bytes of its body. */
  head: Buffer
}

/** Never rejects. */
export type Post = (url: string, posting: Posting) => Promise<Answer>

export interface Poster {
  post: Post
  /** Breaks off what is under way. */
  close(): Promise<void>
}

const HEAD_BYTES = 1024

/** Posts over connections that are kept; an answer that takes longer than `timeoutMs` by the clock is none. */
export function poster(clock: Clock, { timeoutMs }: { timeoutMs: number }): Poster {
  const agent = new Agent({ pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
  const targets = new Map<string, { origin: string; path: string }>()
  const timer = deadlines(clock, timeoutMs)

  function targetOf(url: string) {
    const known = targets.get(url)
    if (known) return known
    const { origin, pathname, search } = new URL(url)
    const target = { origin, path: pathname + search }
    targets.set(url, target)
    return target
  }

  return {
    post: (url, { headers, body }) =>
      new Promise((resolve) => {
        const { origin, path } = targetOf(url)
        agent.dispatch({ origin, path, method: 'POST', headers, body }, answering(timer, resolve))
      }),
    async close() {
      timer.stop()
      await agent.destroy()
    },
  }
}

const NOTHING = Buffer.alloc(0)

/** Reads an answer to its end, so that its connection can be used again, and keeps the head of it. */
function answering(timer: Deadlines, resolve: (answer: Answer) => void): Dispatcher.DispatchHandler {
  let request: Dispatcher.DispatchController | undefined
  let isLate = false
  let status: number | undefined
  let head = NOTHING

  const call = timer.begin(() => {
    isLate = true
    if (request) request.abort(new Error('no answer in time'))
    else end({ status: undefined, head: NOTHING })
  })

  function end(answer: Answer): void {
    timer.end(call)
    resolve(answer)
  }

  return {
    onRequestStart(controller) {
      request = controller
      if (isLate) request.abort(new Error('no connection in time'))
    },
    onResponseStart(_, code) {
      status = code
    },
    onResponseData(_, chunk) {
      const room = HEAD_BYTES - head.length
      if (room > 0) head = Buffer.concat([head, chunk.subarray(0, room)])
    },
    onResponseEnd: () => end({ status, head }),
    onResponseError: () => end({ status: undefined, head: NOTHING }),
  }
}
