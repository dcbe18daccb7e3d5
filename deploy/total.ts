import { createHash } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { z } from 'zod'
import { json, patiently, type Site, text } from './call.ts'
import { append, keep } from './ledger.ts'
import type { World } from './world.ts'

const PAGE = 1000
/** How often the history is read anew because sums were added meanwhile. */
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

/** What the history adds up to. */
interface Read {
  total: bigint
  count: number
  last: Sum | undefined
  sha256: string
}

/**
 * Appends the running total to a ledger, a line an export. The total is what the history adds up to, so it is that of the
 * copy beside it, whatever is added meanwhile; `check` says whether /api/final says the same: `equal`, `busy` when sums were added while
 * the history was read, or `different`, which fails.
 */
export async function exportTotal({ settings, say }: World): Promise<void> {
  const { FILE, HISTORY } = settings
  if (FILE === undefined) throw new Error('FILE says where to: make total FILE=total.ndjson')
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
      if (copy && part) await keep(part, copy)
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
      await append(FILE, JSON.stringify(line))
      say(
        `  ${total} of ${count} sums, in ${FILE}${copy ? ` and ${copy}` : ''}; the running total is ${after}: ${check}`,
      )
      if (check === 'different') throw new Error(`the history adds up to ${total}, the running total is ${after}`)
      return
    }
  } finally {
    if (part) await rm(part, { force: true })
  }
}

const running = (site: Site): Promise<bigint> => patiently(site, async () => BigInt(await text(site, '/api/final')))

/** Every page of it, and a copy of its lines where one is asked for. */
async function readHistory(site: Site, part: string | undefined): Promise<Read> {
  const file = part ? await open(part, 'w') : undefined
  try {
    const hash = createHash('sha256')
    const read = { total: 0n, count: 0, last: undefined as Sum | undefined }
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = new URLSearchParams({ limit: `${PAGE}`, ...(cursor ? { cursor } : {}) }).toString()
      const { items, next } = await patiently(site, () => json(site, `/api/final/history?${query}`, page))
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
