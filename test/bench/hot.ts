import { z } from 'zod'
import { systemClock } from '#core/clock.ts'
import { collections, letters } from '#core/collections.ts'
import type { Delivery } from '#core/delivery.ts'
import { newId } from '#core/ids.ts'
import type { DecideDomain, View } from '#domains/domain.ts'
import { type Persister, persister } from '#functions/persist/persister.ts'
import { quiet } from '../telemetry.ts'
import { trusting } from '../trust.ts'
import { openStore, persisting } from './fold.ts'
import type { Figure } from './report.ts'
import type { Pair } from './sandbox.ts'

const MANY = 100

/** A domain that counts the turns of wheels, each a stream of its own. */
const wheels = (name: string, views: View[] = []): DecideDomain => ({
  kind: 'decide',
  name,
  topic: { name, partitions: 3 },
  ordering: 'ordered',
  commands: {
    [`${name}.turn`]: {
      summary: 'Turn a wheel',
      data: z.object({ wheel: z.string() }),
      stream: ({ wheel }) => `wheel/${wheel}`,
      routes: [],
    },
  },
  collections: [{ name, indexes: {} }],
  touches: ({ data }) => [{ collection: name, ids: [String(data.wheel)] }],
  decide: ({ data }) => ({ events: [{ type: 'wheels.turned', data }] }),
  project({ data }, documents) {
    const turns = Number(documents.get(name, String(data.wheel))?.turns ?? 0) + 1
    return [{ collection: name, document: { _id: String(data.wheel), turns } }]
  },
  views,
  queries: [],
})

/** The turns of all wheels. */
const turnsIn = (name: string, isSlotted: boolean): View => ({
  collection: { name, indexes: {} },
  zero: { turns: 0 },
  isSlotted,
  keys: () => ['all'],
  fold: ({ turns }) => ({ turns: Number(turns) + 1 }),
})

const plain = wheels('wheels')
const viewed = wheels('viewed', [turnsIn('turns', false)])
const slotted = wheels('slotted', [turnsIn('slotted-turns', true)])
const domains = [plain, viewed, slotted]

/** Row i: the cost of a hot stream and of a hot view with one persist, and with two that conflict at it. */
export async function hotStreams(pairs: Pair[], isQuick: boolean): Promise<Figure[]> {
  const ms = isQuick ? 500 : 3000
  const figures: Figure[] = []
  for (const pair of pairs) {
    const { store, close } = openStore(pair)
    await store.prepare(collections(domains))
    const start = (instance: string) =>
      persister({
        ...quiet(),
        domains,
        store,
        clock: systemClock,
        random: Math.random,
        instance,
        maxInFlight: 10_000,
        trust: trusting,
      })
    const both = [start('bench-1'), start('bench-2')]
    for (const [count, running] of [both.slice(0, 1), both].entries()) {
      const perSecond = async (eventOf: (offset: number) => Delivery, ms: number) => {
        const rates = await Promise.all(
          running.map(({ persist }) => persisting(repeated(persist), MANY / running.length, ms, eventOf)),
        )
        return rates.reduce((sum, rate) => sum + rate, 0)
      }
      await perSecond(onMany(plain), ms / 3)
      const spread = await perSecond(onMany(plain), ms)
      const name = `${count === 0 ? 'one persist' : 'two at once'}, ${pair} store`
      figures.push({ row: 'i', name: `${name}, spread streams`, value: spread, unit: 'commands/s' })
      const hot = {
        'one hot stream': onOne,
        'a view of one document': onMany(viewed),
        'the same in slots': onMany(slotted),
      }
      for (const [what, eventOf] of Object.entries(hot)) {
        const value = await perSecond(eventOf, ms)
        const ratio = { of: 'spread', value: value / spread }
        figures.push({ row: 'i', name: `${name}, ${what}`, value, unit: 'commands/s', ratio })
      }
    }
    const kept = await store.find(letters, { index: 'arrival', limit: 1 })
    if (kept.length > 0) throw new Error(`a command became a letter: ${kept[0]?.error}`)
    await Promise.all(both.map((persister) => persister.close()))
    await close()
  }
  return figures
}

/** Repeats deliveries that failed by conflicts, as a KafkaSource does. Failed ones do not count. */
const repeated =
  (persist: Persister['persist']): Persister['persist'] =>
  async (event) => {
    for (;;) {
      const outcome = await persist(event)
      if (outcome.status !== 503) return outcome
    }
  }

const onOne = (offset: number): Delivery => turnOf(plain, 'hot', offset)
const onMany =
  (domain: DecideDomain) =>
  (offset: number): Delivery =>
    turnOf(domain, newId(Date.now()), offset)

const turnOf = ({ name }: DecideDomain, wheel: string, offset: number): Delivery => ({
  specversion: '1.0',
  id: newId(Date.now()),
  source: `/millrace/publish#${name}`,
  type: `${name}.turn`,
  time: new Date().toISOString(),
  partitionkey: `wheel/${wheel}`,
  knativekafkapartition: '0',
  knativekafkaoffset: String(offset),
  data: { wheel },
})
