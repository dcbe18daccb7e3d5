import { createHash } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { z } from 'zod'
import { appendLine, renameDurably } from './append-only-file.ts'
import { getJson, getText, retryUntilLimit, type Site } from './site-client.ts'
import type { TargetCluster } from './target-cluster.ts'

const PAGE = 1000
/** The most reads of the history; sums that are added during a read make another one necessary. */
const MOST_READS = 3

const sum = z
  .looseObject({
    requestId: z.string(),
    firstNumber: z.int(),
    secondNumber: z.int(),
    result: z.int(),
    time: z.string(),
  })
  .refine(({ firstNumber, secondNumber, result }) => firstNumber + secondNumber === result, {
    error: 'does not add up',
  })
type Sum = z.infer<typeof sum>

const page = z.object({ items: z.array(sum), next: z.string().nullable() })

/** The sum of the history. */
interface Read {
  total: bigint
  count: number
  last: Sum | undefined
  sha256: string
}

/**
 * Appends a line with the running total to a file. The total is the sum of the history, so it matches the
 * copy beside it, even while sums are added. `check` compares it with /api/final: `equal`, `busy` if sums were added while
 * the history was read, or `different`, which is an error.
 */
export async function exportTotal({ settings, print }: TargetCluster): Promise<void> {
  const { FILE, HISTORY } = settings
  if (FILE === undefined) throw new Error('set FILE, for example: make total FILE=total.ndjson')
  await mkdir(dirname(FILE), { recursive: true })
  const time = new Date().toISOString()
  const copy = HISTORY === 'yes' ? `${FILE.replace(/\.\w+$/, '')}-${time.replaceAll(':', '-')}.ndjson` : undefined
  const part = copy && `${copy}.part`
  try {
    for (let reads = 1; ; reads++) {
      const before = await running(settings)
      const { total, count, last, sha256 } = await readHistory(settings, part)
      const after = await running(settings)
      const check = [before, after].includes(total) ? 'equal' : before === after ? 'different' : 'busy'
      if (check !== 'equal' && reads < MOST_READS) continue
      if (copy && part) await renameDurably(part, copy)
      const line = {
        time,
        total: String(total),
        count,
        asOf: last?.time ?? null,
        last: last?.requestId ?? null,
        running: String(after),
        check,
        ...(copy ? { history: basename(copy), sha256 } : {}),
      }
      await appendLine(FILE, JSON.stringify(line))
      print(
        `  ${total} of ${count} sums, in ${FILE}${copy ? ` and ${copy}` : ''}; the running total is ${after}: ${check}`,
      )
      if (check === 'different') throw new Error(`the history adds up to ${total}, the running total is ${after}`)
      return
    }
  } finally {
    if (part) await rm(part, { force: true })
  }
}

const running = (site: Site): Promise<bigint> =>
  retryUntilLimit(site, async () => BigInt(await getText(site, '/api/final')))

/** Reads every page of the history, and copies its lines to `part` if given. */
async function readHistory(site: Site, part: string | undefined): Promise<Read> {
  const file = part ? await open(part, 'w') : undefined
  try {
    const hash = createHash('sha256')
    const read = { total: 0n, count: 0, last: undefined as Sum | undefined }
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = new URLSearchParams({ limit: `${PAGE}`, ...(cursor ? { cursor } : {}) }).toString()
      const { items, next } = await retryUntilLimit(site, () => getJson(site, `/api/final/history?${query}`, page))
      for (const item of items) read.total += BigInt(item.result)
      read.count += items.length
      read.last = items.at(-1) ?? read.last
      const lines = items.map((item) => `${JSON.stringify(item)}\n`).join('')
      hash.update(lines)
      await file?.write(lines)
      cursor = next
    }
    await file?.sync()
    return { ...read, sha256: hash.digest('hex') }
  } finally {
    await file?.close()
  }
}
