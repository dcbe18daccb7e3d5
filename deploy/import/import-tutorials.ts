import type { Site } from '../site-client.ts'
import type { Found } from './documents.ts'
import { toTutorial } from './original-tutorial.ts'
import { type Item, sendBatch } from './send-batch.ts'

/** In JSON a byte of a title becomes at most six, and a request takes 8 MiB. */
const BATCH_LINES = 500
const BATCH_BYTES = 512 * 1024
const REPORT_MS = 1000

export interface Options {
  /** True: checks the documents and sends nothing. */
  isDry: boolean
  /** Called for each document that is not imported. */
  refused(at: string, reason: string): void
  progress(counts: Counts): void
}

export interface Counts {
  read: number
  imported: number
  refused: number
}

/** Imports documents in batches, in their order. */
export async function importTutorials(site: Site, documents: AsyncIterable<Found>, options: Options): Promise<Counts> {
  const counts: Counts = { read: 0, imported: 0, refused: 0 }
  let batch: Item[] = []
  let bytes = 0
  let reported = Date.now()

  function refuse(at: string, reason: string): void {
    counts.refused++
    options.refused(at, reason)
  }

  async function flush(): Promise<void> {
    const refusals = options.isDry || batch.length === 0 ? [] : await sendBatch(site, batch)
    for (const { at, reason } of refusals) refuse(at, reason)
    counts.imported += batch.length - refusals.length
    batch = []
    bytes = 0
    if (Date.now() - reported < REPORT_MS) return
    reported = Date.now()
    options.progress(counts)
  }

  for await (const found of documents) {
    counts.read++
    const read = 'reason' in found ? found : toTutorial(found.document)
    if ('reason' in read) {
      refuse(found.at, read.reason)
      continue
    }
    batch.push({ at: found.at, tutorial: read.tutorial })
    bytes += Buffer.byteLength(read.tutorial.title)
    if (batch.length === BATCH_LINES || bytes >= BATCH_BYTES) await flush()
  }
  await flush()
  return counts
}
