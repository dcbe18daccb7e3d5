import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import { mongodbStore } from '#adapters/store/mongodb.ts'
import { systemClock } from '#core/clock.ts'
import { collections } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import { newId } from '#core/ids.ts'
import type { Store } from '#core/store.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { type Persister, persister } from '#functions/persist/persister.ts'
import { quiet } from '../telemetry.ts'
import { trusting } from '../trust.ts'
import { atLeast, type Figure } from './report.ts'
import { MONGODB_URI, newSandbox, type Pair } from './sandbox.ts'

const MANY = 100

/** Row f: persist with a hundred deliveries in flight, which it applies as batches, and with one. */
export async function folds(pairs: Pair[], isQuick: boolean): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const pair of pairs) {
    const opened = openStore(pair)
    await opened.store.prepare(collections([tutorials]))
    const { persist, close } = persister({
      ...quiet(),
      domains: [tutorials],
      store: opened.store,
      clock: systemClock,
      random: Math.random,
      instance: 'bench',
      maxInFlight: 10_000,
      trust: trusting,
    })
    const ms = isQuick ? 500 : 3000
    await persisting(persist, MANY, ms / 3)
    const alone = await persisting(persist, 1, ms)
    const folded = await persisting(persist, MANY, ms)
    await close()
    await opened.close()
    const name = `persist, ${pair} store`
    const ratio = { of: 'one in flight', value: folded / alone }
    figures.push({ row: 'f', name: `${name}, 1 in flight`, value: alone, unit: 'commands/s' })
    figures.push({
      row: 'f',
      name: `${name}, ${MANY} in flight`,
      value: folded,
      unit: 'commands/s',
      ratio,
      aim: atLeast(ratio.value, 5, 'x'),
    })
  }
  return figures
}

/** A new store. */
export function openStore(pair: Pair): { store: Store; close(): Promise<void> } {
  const { dir, database } = newSandbox(pair)
  if (pair === 'real') {
    const store = mongodbStore({ ...quiet(), uri: MONGODB_URI, database })
    return { store, close: () => store.close() }
  }
  const file = openFile(dir)
  const store = embeddedStore(file)
  return {
    store,
    async close() {
      await store.close()
      file.close()
    },
  }
}

/** The commands a second with so many in flight. */
export async function persisting(
  persist: Persister['persist'],
  inFlight: number,
  ms: number,
  eventOf = titleOf,
): Promise<number> {
  const began = performance.now()
  let done = 0
  async function deliveries(): Promise<void> {
    while (performance.now() - began < ms) {
      const { status, detail } = await persist(eventOf(done))
      if (status !== 204) throw new Error(`persist answered ${status}: ${detail}`)
      done++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, deliveries))
  return (done * 1000) / (performance.now() - began)
}

const titleOf = (offset: number): Delivery => ({
  specversion: '1.0',
  id: newId(Date.now()),
  source: '/millrace/publish',
  type: 'tutorials.publish',
  time: new Date().toISOString(),
  knativekafkapartition: '0',
  knativekafkaoffset: String(offset),
  data: Buffer.from('How water turns a wheel, and a wheel a stone'),
})
