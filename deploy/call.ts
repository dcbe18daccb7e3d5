import type { z } from 'zod'
import { systemClock } from '#core/clock.ts'
import { retry } from '#core/retry.ts'

/** A Millrace as its clients see it. */
export interface Site {
  SITE: string
  /** Seconds. */
  LIMIT: number
  /** Who asks; nobody in particular without it. */
  TOKEN?: string | undefined
}

const PAUSE_MS = 200
const CALL_MS = 10_000

/** Asking again would not change it. */
export class Refused extends Error {}

export function refusalOf(status: number, text: string): Error {
  const message = `${status} ${detailOf(text)}`
  return status >= 500 || status === 429 ? new Error(message) : new Refused(message)
}

/** A problem says in a sentence what is wrong. */
function detailOf(text: string): string {
  try {
    return JSON.parse(text).detail ?? text
  } catch {
    return text
  }
}

const NO_TOKEN = `401: this needs a token, and TOKEN is not set. With the people of make dev:
  export TOKEN=$(make -s token USER=administrator)`

/** Throws `Refused`, with what to type, where a token is needed and there is none. */
export async function call(site: Site, path: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(new URL(path, site.SITE), {
    ...init,
    headers: { ...init.headers, ...(site.TOKEN ? { authorization: `Bearer ${site.TOKEN}` } : {}) },
    signal: AbortSignal.timeout(CALL_MS),
  })
  if (answer.status === 401 && !site.TOKEN) throw new Refused(NO_TOKEN)
  return answer
}

export async function text(site: Site, path: string): Promise<string> {
  const answer = await call(site, path)
  const body = await answer.text()
  if (answer.status !== 200) throw refusalOf(answer.status, body)
  return body
}

export const json = async <Body>(site: Site, path: string, schema: z.ZodType<Body>): Promise<Body> =>
  schema.parse(JSON.parse(await text(site, path)))

/** Tries until it succeeds, is refused, or has taken the time limit; then the last failure is thrown. */
export async function patiently<Result>({ SITE, LIMIT }: Site, attempt: () => Promise<Result>): Promise<Result> {
  try {
    return await retry(attempt, {
      clock: systemClock,
      when: (error) => !(error instanceof Refused),
      pause: () => PAUSE_MS,
      deadline: Date.now() + LIMIT * 1000,
    })
  } catch (cause) {
    throw new Error(`${SITE}: ${reasonOf(cause as Error)}`, { cause })
  }
}

const reasonOf = ({ message, cause }: Error): string =>
  cause instanceof Error ? `${message}: ${cause.message}` : message
