import { expect } from 'vitest'
import { type Mill, send } from './mill.ts'

/** What clients were told about each of their commands, by title, which is its key too. */
export interface Told {
  /** 202: it is safe. */
  yes: Set<string>
  /** A 503 that says that nothing was done. */
  no: Set<string>
  /** At least once a 503 that says that it is not known, or a connection that broke: repeated with the same key. */
  repeated: Set<string>
}

export interface Load {
  told: Told
  /** Resolves once every command under way has its answer. */
  stop(): Promise<void>
}

/** Clients that send commands one after the other, as fast as they are answered, until they are stopped. */
export function startLoad(mill: () => Pick<Mill, 'publish'>, clients = 8): Load {
  const told: Told = { yes: new Set(), no: new Set(), repeated: new Set() }
  let isStopped = false

  async function client(name: number): Promise<void> {
    for (let count = 0; !isStopped; count++) {
      const title = `${name}-${count}-${crypto.randomUUID()}`
      while (!(await isKnown(title))) {
        told.repeated.add(title)
        if (isStopped) break
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  /** Sends it; false when its fate is not known. */
  async function isKnown(title: string): Promise<boolean> {
    const answer = await send(`${mill().publish}/api/tutorials`, { title }, { 'idempotency-key': title }).catch(broken)
    if (!answer) return false
    const body = (await answer.json().catch(broken)) as { unknown?: boolean } | undefined
    if (answer.status === 202) told.yes.add(title)
    else if (answer.status !== 503)
      throw new Error(`an answer that should not be: ${answer.status} ${JSON.stringify(body)}`)
    else if (!body || body.unknown || told.repeated.has(title)) return false
    else told.no.add(title)
    return true
  }

  const running = Promise.all(Array.from({ length: clients }, (_, name) => client(name)))
  return {
    told,
    async stop() {
      isStopped = true
      await running
    },
  }
}

/** Everything that is stored: title to how often. */
export async function stored(mill: Pick<Mill, 'query'>): Promise<Map<string, number>> {
  const all = (await (await fetch(`${mill.query}/api/test`)).json()) as { title: string }[]
  const counts = new Map<string, number>()
  for (const { title } of all) counts.set(title, (counts.get(title) ?? 0) + 1)
  return counts
}

/**
 * Each acknowledged command is there once, each refused one is not, and only what was repeated may be there again. What
 * others sent is not looked at.
 */
export function expectOnTopic({ yes, no, repeated }: Told, counts: Map<string, number>): void {
  const lost = [...yes].filter((title) => !counts.has(title))
  const phantom = [...no].filter((title) => counts.has(title))
  const doubled = [...yes].filter((title) => (counts.get(title) ?? 0) > 1 && !repeated.has(title))
  expect({ lost, phantom, doubled }).toEqual({ lost: [], phantom: [], doubled: [] })
}

/** Each acknowledged command is there once, however often it was sent; each refused one is not; nothing at all is doubled. */
export function expectStored(told: Told, counts: Map<string, number>): void {
  expectOnTopic({ ...told, repeated: new Set() }, counts)
  expect([...counts].filter(([, count]) => count > 1)).toEqual([])
}

/** A connection that broke tells nothing. */
function broken(error: unknown): undefined {
  if (!(error instanceof TypeError) && !(error instanceof DOMException)) throw error
  return undefined
}
