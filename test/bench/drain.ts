import { MongoClient } from 'mongodb'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedLog } from '#adapters/log/embedded.ts'
import { kafkaLog } from '#adapters/log/kafka.ts'
import { newId } from '#core/ids.ts'
import type { Log, NewRecord } from '#core/log.ts'
import type { Fields, Topic } from '#domains/domain.ts'
import sums from '#domains/sums/domain.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { toRecord } from '#functions/publish/accepted-command.ts'
import { atLeast, type Figure } from './report.ts'
import { BROKERS, MONGODB_URI, newSandbox, type Pair, type Sandbox, SEALS } from './sandbox.ts'
import { ours, type Served, serve } from './served.ts'

const BATCH = 500
const RAW = 'insertMany of the driver'
const STALL_MS = 30_000
const CHUNK = 2000
/** The pause between two reads of the metrics. Each read costs as much as some hundred records. */
const LOOK_EVERY_MS = 250

/** The records of a full topic, and the check that all of them are stored. */
interface Filling {
  topic: Topic
  at(sandbox: Sandbox): string
  command(number: number, id: string): { type: string; stream: string; data: Fields }
  verify(url: string, count: number): Promise<void>
}

const titles: Filling = {
  topic: tutorials.topic,
  at: ({ topic }) => topic,
  command: (number, id) => ({
    type: 'tutorials.publish',
    stream: `tutorial/${id}`,
    data: { title: `How water turns a wheel, and a wheel a stone (${number})` },
  }),
  async verify(url, count) {
    const all = (await (await fetch(`${url}/api/test`)).json()) as unknown[]
    if (all.length !== count) throw new Error(`${all.length} documents of ${count} records`)
  },
}

const additions: Filling = {
  topic: sums.topic,
  at: ({ sumsTopic }) => sumsTopic,
  command: (number, id) => ({ type: 'sums.add', stream: `sum/${id}`, data: { firstNumber: number, secondNumber: 1 } }),
  async verify(url, count) {
    const total = Number(await (await fetch(`${url}/api/final`)).text())
    const wanted = (count * (count + 1)) / 2
    if (total !== wanted) throw new Error(`the total of ${count} records is ${total}, not ${wanted}`)
  },
}

/** Row h's drain: the same for sums (each an event, a document, a receipt and a head) and for tutorials (each a document). */
export async function decideDrains(pairs: Pair[], isQuick: boolean): Promise<Figure[]> {
  const count = isQuick ? 2000 : 5000
  const figures: Figure[] = []
  for (const pair of pairs) {
    const append = await drain(pair, count, titles)
    const value = await drain(pair, count, additions)
    const ratio = { of: 'append', value: value / append }
    figures.push({ row: 'h', name: `drain of ${count} sums, ${pair} pair`, value, unit: 'events/s', ratio })
  }
  return figures
}

/** Rows d and e: the drain of a full topic, and the writes of the bare driver to this MongoDB. */
export async function drains(pairs: Pair[], isQuick: boolean, wanted: (row: string) => boolean): Promise<Figure[]> {
  const count = isQuick ? 4000 : 50_000
  const raw = pairs.includes('real') ? await insertMany(count) : undefined
  const figures: Figure[] = raw ? [{ row: 'e', name: `${RAW}, ${BATCH} each`, value: raw, unit: 'documents/s' }] : []
  if (!wanted('d')) return figures
  for (const pair of pairs) {
    const value = await drain(pair, count, titles)
    const figure = { row: 'd', name: `drain of ${count} records, ${pair} pair`, value, unit: 'documents/s' }
    const ratio = raw ? { of: RAW, value: value / raw } : undefined
    figures.push(ratio ? { ...figure, ratio, aim: atLeast(ratio.value, 0.35, 'x') } : figure)
  }
  return figures
}

async function drain(pair: Pair, count: number, filling: Filling): Promise<number> {
  const sandbox = newSandbox(pair)
  await fill(pair, sandbox, count, filling)
  const server = await serve(ours(sandbox.env, sandbox.root, 'main/dev.ts'))
  try {
    return await measured(server, count, filling)
  } finally {
    await server.stop()
  }
}

async function fill(pair: Pair, sandbox: Sandbox, count: number, { topic, at, command }: Filling): Promise<void> {
  const file = pair === 'embedded' ? openFile(sandbox.dir) : undefined
  const log: Log = file
    ? embeddedLog(file, { maxBuffered: count })
    : kafkaLog({ brokers: BROKERS.split(','), replication: 3, maxBuffered: count, answerWithinMs: STALL_MS })
  const name = at(sandbox)
  await log.ensure([{ name, partitions: topic.partitions }])
  for (let done = 0; done < count; done += CHUNK) {
    const records = Array.from({ length: Math.min(CHUNK, count - done) }, (_, at) => recordOf(done + at))
    await Promise.all(records.map((record) => log.append(name, record)))
  }
  await log.close()
  file?.close()

  function recordOf(number: number): NewRecord {
    const time = Date.now()
    const id = newId(time)
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    return toRecord({ id, time, actor: 'anonymous', traceparent, ...command(number, id) }, topic, SEALS).record
  }
}

/** The time from the first read that finds documents to the one that finds all. The start itself is row g. */
async function measured({ url }: Served, count: number, { verify }: Filling): Promise<number> {
  let first: { at: number; stored: number } | undefined
  let last = { at: performance.now(), stored: 0 }
  while (last.stored < count) {
    const stored = await applied(url)
    const at = performance.now()
    if (stored > last.stored) last = { at, stored }
    if (stored > 0) first ??= last
    if (at - last.at > STALL_MS) throw new Error(`only ${last.stored} of ${count} records were stored`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  await verify(url, count)
  if (!first || first.stored === count) throw new Error('it was over before it could be measured')
  return ((last.stored - first.stored) * 1000) / (last.at - first.at)
}

async function applied(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const counts = text.matchAll(/^millrace_(?:queue|redelivery)_latency_seconds_count\S* (\d+)/gm)
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}

/** Writes the same documents with their index, one batch after another. */
async function insertMany(count: number): Promise<number> {
  const { database } = newSandbox('real')
  const client = new MongoClient(MONGODB_URI)
  try {
    const collection = client
      .db(database)
      .collection<{ _id: string }>('tutorials', { writeConcern: { w: 'majority', journal: true } })
    await collection.createIndex({ time: 1, _id: 1 })
    const documents = Array.from({ length: count }, (_, number) => {
      const id = newId(Date.now())
      const title = `How water turns a wheel, and a wheel a stone (${number})`
      return { _id: id, title, time: new Date().toISOString(), _hash: id.slice(0, 22) }
    })
    const began = performance.now()
    for (let at = 0; at < count; at += BATCH) {
      await collection.insertMany(documents.slice(at, at + BATCH), { ordered: false })
    }
    return (count * 1000) / (performance.now() - began)
  } finally {
    await client.close()
  }
}
