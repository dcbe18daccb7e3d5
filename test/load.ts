import { expect } from 'vitest'
import { type Mill, send } from './mill.ts'

/** What a client was told about each of its commands, by title. */
export interface Told {
  /** 202: it is safe. */
  yes: Set<string>
  /** A 503 that says that nothing was done. */
  no: Set<string>
  /** A 503 that says that it is not known, or a connection that broke. */
  unknown: Set<string>
}

export interface Load {
  told: Told
  /** Resolves once every command under way has its answer. */
  stop(): Promise<void>
}

/** Clients that send commands one after the other, as fast as they are answered, until they are stopped. */
export function startLoad(mill: () => Mill, clients = 8): Load {
  const told: Told = { yes: new Set(), no: new Set(), unknown: new Set() }
  let isStopped = false

  async function client(name: number): Promise<void> {
    for (let count = 0; !isStopped; count++) {
      const title = `${name}-${count}-${crypto.randomUUID()}`
      try {
        const answer = await send(`${mill().publish}/api/tutorials`, { title })
        const body = (await answer.json()) as { unknown?: boolean }
        if (answer.status === 202) told.yes.add(title)
        else if (answer.status === 503) (body.unknown ? told.unknown : told.no).add(title)
        else throw new Error(`an answer that should not be: ${answer.status} ${JSON.stringify(body)}`)
      } catch (error) {
        if (!(error instanceof TypeError)) throw error
        told.unknown.add(title)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
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
export async function stored(mill: Mill): Promise<Map<string, number>> {
  const all = (await (await fetch(`${mill.query}/api/test`)).json()) as { title: string }[]
  const counts = new Map<string, number>()
  for (const { title } of all) counts.set(title, (counts.get(title) ?? 0) + 1)
  return counts
}

/** The checker: each acknowledged command is there once, each refused one is not, each ambiguous one at most once. */
export function expectKept(told: Told, counts: Map<string, number>): void {
  const lost = [...told.yes].filter((title) => !counts.has(title))
  const phantom = [...told.no].filter((title) => counts.has(title))
  const doubled = [...counts].filter(([, count]) => count > 1).map(([title]) => title)
  expect({ lost, phantom, doubled }).toEqual({ lost: [], phantom: [], doubled: [] })
}
