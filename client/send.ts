import { Problem, problemOf, unanswered } from './problem.ts'

export interface Sending {
  /** Of `fetch`, where another one is wanted. */
  fetch: typeof globalThis.fetch
  token: string | (() => string | undefined | Promise<string | undefined>) | undefined
  /** How often a request is tried. */
  attempts: number
}

export interface Asked {
  url: string
  method: string
  headers: Record<string, string>
  body?: string
  signal: AbortSignal | undefined
  /** How long one attempt may take until its answer begins. */
  withinMs: number
}

export interface Answered {
  status: number
  headers: Headers
  text: string
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
/** What passes: too much at once, a function or what it needs away. */
const PASSING = [429, 502, 503, 504]

/** The answer, once it is there whole. Repeats what may be repeated: all that it sends has a key or changes nothing. */
export async function send(sending: Sending, asked: Asked): Promise<Answered> {
  return await repeating(sending, asked, async (response) => {
    const { status, headers } = response
    return { status, headers, text: await response.text() }
  })
}

/** The answer as it begins; what breaks off later is not repeated. */
export async function open(sending: Sending, asked: Asked): Promise<ReadableStream<Uint8Array>> {
  return await repeating(sending, asked, async ({ body }) => body ?? new ReadableStream())
}

async function repeating<Result>(
  sending: Sending,
  asked: Asked,
  read: (response: Response) => Result | Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt >= sending.attempts
    let after: string | null = null
    try {
      const answer = await ask(sending, asked, async (response) =>
        response.ok
          ? { result: await read(response) }
          : {
              problem: problemOf(response.status, await response.text()),
              after: response.headers.get('retry-after'),
            },
      )
      if ('result' in answer) return answer.result
      after = answer.after
      if (isLast || !PASSING.includes(answer.problem.status)) throw answer.problem
    } catch (error) {
      asked.signal?.throwIfAborted()
      if (error instanceof Problem) throw error
      if (isLast) throw unanswered(error)
    }
    await pause(pauseBefore(attempt, after), asked.signal)
  }
}

/** Aborted with the caller's signal all the while, and by time until it is read. */
async function ask<Result>(
  { fetch, token }: Sending,
  { url, method, headers, body, signal, withinMs }: Asked,
  read: (response: Response) => Promise<Result>,
): Promise<Result> {
  const bearer = typeof token === 'function' ? await token() : token
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error(`nothing came within ${withinMs / 1000} s`)), withinMs)
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }) },
      ...(body === undefined ? {} : { body }),
      signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
    })
    return await read(response)
  } finally {
    clearTimeout(timer)
  }
}

/** Longer each time, with jitter, so that those who failed together don't come again together; never sooner than asked. */
export function pauseBefore(attempt: number, after: string | null = null): number {
  const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt)
  const seconds = Number(after ?? 0)
  return (seconds > 0 ? seconds * 1000 : 0) + Math.random() * most
}

export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
