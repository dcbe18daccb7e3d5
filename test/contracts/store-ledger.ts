import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { Conflict, type Store, type StoredCollection } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'

/** A total whose generation counts its entries: whatever happens to those who add, neither is ahead of the other. */
export interface Ledger {
  totals: StoredCollection
  entries: StoredCollection
}

export function newLedger(): Ledger {
  const id = randomUUID()
  return {
    totals: { name: `totals-${id}`, indexes: {} },
    entries: { name: `entries-${id}`, indexes: { time: { fields: ['time'] } } },
  }
}

/** Adds an entry, again as long as somebody else was first or the store is away, and resolves with its number. */
export async function add(store: Store, ledger: Ledger): Promise<number> {
  for (;;) {
    try {
      return await addOnce(store, ledger)
    } catch (error) {
      if (!(error instanceof Conflict || error instanceof Unavailable)) throw error
      await setTimeout(Math.random() * 20)
    }
  }
}

async function addOnce(store: Store, { totals, entries }: Ledger): Promise<number> {
  const total = (await store.get(totals, ['total'])).get('total')
  const generation = Number(total?.generation ?? 0) + 1
  await store.commit([
    { collection: totals, swap: [{ _id: 'total', generation }] },
    { collection: entries, insert: [{ _id: `entry-${generation}`, time: generation }] },
  ])
  return generation
}

/** The total, and the numbers of the entries in their order. */
export async function readLedger(
  store: Store,
  { totals, entries }: Ledger,
): Promise<{ total: number; numbers: number[] }> {
  const found = await store.find(entries, { index: 'time', limit: 1_000_000 })
  const total = (await store.get(totals, ['total'])).get('total')
  return { total: Number(total?.generation ?? 0), numbers: found.map(({ time }) => Number(time)) }
}

/**
 * Runs a process that opens `store` by this code and adds for ever, until it has added so often; then kills it. Resolves
 * with the numbers that it was told.
 */
export async function addUntilKilled(openStore: string, ledger: Ledger, times: number): Promise<number[]> {
  const adder = `
    import { add } from '#test/contracts/store-ledger.ts'
    ${openStore}
    const ledger = ${JSON.stringify(ledger)}
    await store.prepare([ledger.totals, ledger.entries])
    for (;;) process.stdout.write(await add(store, ledger) + '\\n')
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', adder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = new Promise((resolve) => child.once('close', resolve))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
    if (said.split('\n').length > times) child.kill('SIGKILL')
  })
  await gone
  return said.split('\n').slice(0, -1).map(Number)
}
