import { expect } from 'vitest'
import { type Mill, send } from './mill.ts'

/** The responses that clients received for their commands, by title. The title is also the key. */
export interface Responses {
  /** The commands that were acknowledged with 202. */
  acknowledged: Set<string>
  /** The commands that were refused with a 503 that says that nothing was done. */
  refused: Set<string>
  /** The commands that were repeated with the same key, after an ambiguous 503 or a broken connection. */
  repeated: Set<string>
}

export interface Load {
  responses: Responses
  /** Stops the clients. Resolves once every open command has a response. */
  stop(): Promise<void>
}

/** Starts clients that send commands one after another, without a pause. */
export function startLoad(mill: () => Pick<Mill, 'publish'>, clients = 8): Load {
  const responses: Responses = { acknowledged: new Set(), refused: new Set(), repeated: new Set() }
  let isStopped = false

  async function client(name: number): Promise<void> {
    for (let count = 0; !isStopped; count++) {
      const title = `${name}-${count}-${crypto.randomUUID()}`
      while (!(await isKnown(title))) {
        responses.repeated.add(title)
        if (isStopped) break
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  /** Sends a command. Resolves with false if the response is ambiguous. */
  async function isKnown(title: string): Promise<boolean> {
    const answer = await send(`${mill().publish}/api/tutorials`, { title }, { 'idempotency-key': title }).catch(broken)
    if (!answer) return false
    const body = (await answer.json().catch(broken)) as { unknown?: boolean } | undefined
    if (answer.status === 202) responses.acknowledged.add(title)
    else if (answer.status !== 503)
      throw new Error(`an answer that should not be: ${answer.status} ${JSON.stringify(body)}`)
    else if (!body || body.unknown || responses.repeated.has(title)) return false
    else responses.refused.add(title)
    return true
  }

  const running = Promise.all(Array.from({ length: clients }, (_, name) => client(name)))
  return {
    responses,
    async stop() {
      isStopped = true
      await running
    },
  }
}

/** The number of stored documents for each title. */
export async function stored(mill: Pick<Mill, 'query'>): Promise<Map<string, number>> {
  const all = (await (await fetch(`${mill.query}/api/test`)).json()) as { title: string }[]
  const counts = new Map<string, number>()
  for (const { title } of all) counts.set(title, (counts.get(title) ?? 0) + 1)
  return counts
}

/**
 * Expects that each acknowledged command is stored once and no refused one is. A repeated command may be stored. Commands of
 * others are ignored.
 */
export function expectOnTopic({ acknowledged, refused, repeated }: Responses, counts: Map<string, number>): void {
  const lost = [...acknowledged].filter((title) => !counts.has(title))
  const phantom = [...refused].filter((title) => counts.has(title))
  const doubled = [...acknowledged].filter((title) => (counts.get(title) ?? 0) > 1 && !repeated.has(title))
  expect({ lost, phantom, doubled }).toEqual({ lost: [], phantom: [], doubled: [] })
}

/** Expects that each acknowledged command is stored once, no refused one is, and no command is stored twice. */
export function expectStored(responses: Responses, counts: Map<string, number>): void {
  expectOnTopic({ ...responses, repeated: new Set() }, counts)
  expect([...counts].filter(([, count]) => count > 1)).toEqual([])
}

/** A broken connection has no response. */
function broken(error: unknown): undefined {
  if (!(error instanceof TypeError) && !(error instanceof DOMException)) throw error
  return undefined
}
