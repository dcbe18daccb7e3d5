import type { z } from 'zod'
import { systemClock } from '#core/clock.ts'
import { retry } from '#core/retry.ts'
import { requestFailure, tokenCommand } from './default-site.ts'

/** A Millrace as its clients see it. */
export interface Site {
  SITE: string
  /** The time limit of retries in seconds. */
  LIMIT: number
  /** The caller's token. Without it the caller is anonymous. */
  TOKEN?: string | undefined
}

const PAUSE_MS = 200
const CALL_MS = 10_000

/** A refusal that a retry would not change. */
export class PermanentError extends Error {}

export function toError(status: number, text: string): Error {
  const message = `${status} ${detailOf(text)}`
  return status >= 500 || status === 429 ? new Error(message) : new PermanentError(message)
}

/** The sentence of a problem, or the whole text. */
function detailOf(text: string): string {
  try {
    return JSON.parse(text).detail ?? text
  } catch {
    return text
  }
}

const noToken = ({ SITE }: Site) => `401: this needs a token, and TOKEN is not set. For make dev:
  export TOKEN=${tokenCommand('administrator', SITE)}`

/** Throws `PermanentError` with the command to type if a token is required and missing. */
export async function request(site: Site, path: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(new URL(path, site.SITE), {
    ...init,
    headers: { ...init.headers, ...(site.TOKEN ? { authorization: `Bearer ${site.TOKEN}` } : {}) },
    signal: AbortSignal.timeout(CALL_MS),
  })
  if (answer.status === 401 && !site.TOKEN) throw new PermanentError(noToken(site))
  return answer
}

export async function getText(site: Site, path: string): Promise<string> {
  const answer = await request(site, path)
  const body = await answer.text()
  if (answer.status !== 200) throw toError(answer.status, body)
  return body
}

export const getJson = async <Body>(site: Site, path: string, schema: z.ZodType<Body>): Promise<Body> =>
  schema.parse(JSON.parse(await getText(site, path)))

/** Retries until success, a permanent error or the time limit. Throws the last error. */
export async function retryUntilLimit<Result>({ SITE, LIMIT }: Site, attempt: () => Promise<Result>): Promise<Result> {
  try {
    return await retry(attempt, {
      clock: systemClock,
      when: (error) => !(error instanceof PermanentError),
      pause: () => PAUSE_MS,
      deadline: Date.now() + LIMIT * 1000,
    })
  } catch (cause) {
    const failure = requestFailure(cause, SITE)
    throw new Error(failure.includes(SITE) ? failure : `${SITE}: ${failure}`, { cause })
  }
}
