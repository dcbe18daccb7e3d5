import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import type { Collection, View } from '#domains/domain.ts'
import sums from '#domains/sums/domain.ts'
import { Rehearsal } from '../deploy/rehearsal.ts'
import { discard, eventually, type Mill, send, startMill } from '../mill.ts'

/** Tests `make total` on a real mill. */
let mill: Mill
let rehearsal: Rehearsal
let dir: string
let FILE: string
beforeEach(async () => {
  rehearsal = await new Rehearsal().open()
  dir = mkdtempSync(join(tmpdir(), 'total-'))
  FILE = join(dir, 'audit', 'total.ndjson')
})
afterEach(async () => {
  await rehearsal.close()
  await mill?.stop()
  if (mill) discard(mill)
  rmSync(dir, { recursive: true })
})

const add = async (firstNumber: number, secondNumber: number): Promise<void> => {
  const answer = await send(`${mill.publish}/api/sums`, { firstNumber, secondNumber }, { prefer: 'wait=20' })
  expect(answer.status).toBe(200)
}
const exported = (more = {}) => rehearsal.run(['total'], [], { SITE: mill.query, FILE, ...more })
const linesOf = <Line = { total: string; history: string; sha256: string }>(path: string): Line[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

test('each export appends a line with the running total', async () => {
  mill = await startMill({ pair: inject('pair') })
  expect((await exported()).code).toBe(0)
  await add(2, 3)
  await add(-10, 1)
  expect((await exported()).code).toBe(0)
  const first = { total: '0', count: 0, asOf: null, last: null, running: '0', check: 'equal' }
  const second = { total: '-4', count: 2, running: '-4', check: 'equal' }
  expect(linesOf(FILE)).toMatchObject([first, second])
  const before = readFileSync(FILE, 'utf8')
  await exported()
  expect(readFileSync(FILE, 'utf8').startsWith(before)).toBe(true)
  expect(readdirSync(join(dir, 'audit'))).toEqual(['total.ndjson'])
})

test('given sums that are added during the export, the line is the total of the copy beside it', async () => {
  mill = await startMill({ pair: inject('pair') })
  let isOver = false
  const client = async () => {
    for (let n = 0; !isOver; n++) await send(`${mill.publish}/api/sums`, { firstNumber: n, secondNumber: 7 })
  }
  const clients = [client(), client(), client(), client()]
  await eventually(async () =>
    expect(BigInt(await (await fetch(`${mill.query}/api/final`)).text())).toBeGreaterThan(9n),
  )
  for (let round = 0; round < 3; round++) {
    const result = await exported({ HISTORY: 'yes' })
    expect(result.code, result.output).toBe(0)
  }
  isOver = true
  await Promise.all(clients)
  const lines = linesOf(FILE)
  expect(lines).toHaveLength(3)
  for (const { total, history, sha256, ...line } of lines) {
    const text = readFileSync(join(dir, 'audit', history))
    const copy = linesOf<{ requestId: string; result: number; time: string }>(join(dir, 'audit', history))
    expect(createHash('sha256').update(text).digest('hex')).toBe(sha256)
    expect(String(copy.reduce((sum, { result }) => sum + BigInt(result), 0n))).toBe(total)
    expect(line).toMatchObject({ count: copy.length, last: copy.at(-1)?.requestId, asOf: copy.at(-1)?.time })
  }
})

test('an unavailable site adds no line', async () => {
  mill = await startMill({ pair: inject('pair') })
  await mill.stop()
  const result = await exported({ LIMIT: '1', HISTORY: 'yes' })
  expect(result.code).toBe(1)
  expect(result.output).toContain(`Nothing answers at ${mill.query}.`)
  expect(readdirSync(join(dir, 'audit'))).toEqual([])
})

if (inject('pair') === 'embedded') {
  /** Writes sums before the mill starts, which are larger than any that publish accepts. */
  async function startWith(results: number[], total: bigint): Promise<void> {
    const home = mkdtempSync(join(tmpdir(), 'millrace-'))
    const file = openFile(home)
    const store = embeddedStore(file)
    const [collection] = sums.collections as [Collection]
    const [view] = sums.views as [View]
    await store.prepare([collection, view.collection])
    await store.insert(
      collection,
      results.map((result, n) => {
        const time = new Date(Date.UTC(2026, 0, 1) + n).toISOString()
        return { _id: `${n}`, requestId: `${n}`, firstNumber: result, secondNumber: 0, result, time }
      }),
    )
    const slot = { _id: 'slot-3', total: String(total), count: results.length, generation: 1 }
    await store.commit([{ collection: view.collection, swap: [slot] }])
    await store.close()
    file.close()
    mill = await startMill({ pair: 'embedded', dir: home })
  }

  const LARGE = Number.MAX_SAFE_INTEGER

  test('the total is exact beyond 2^53, over many pages', async () => {
    const results = [...Array.from({ length: 2500 }, () => LARGE), 2]
    await startWith(results, BigInt(LARGE) * 2500n + 2n)
    await add(-1, 0)
    const result = await exported()
    expect(result.code, result.output).toBe(0)
    const total = String(BigInt(LARGE) * 2500n + 1n)
    expect(BigInt(Number(total))).not.toBe(BigInt(total))
    expect(linesOf(FILE)).toMatchObject([{ total, count: 2502, running: total, check: 'equal' }])
  })

  test('a running total that differs from the sum of the history is recorded, and fails', async () => {
    await startWith([1, 2, 3], 7n)
    const result = await exported()
    expect(result.code).toBe(1)
    expect(result.output).toContain('the history adds up to 6, the running total is 7')
    expect(linesOf(FILE)).toMatchObject([{ total: '6', running: '7', check: 'different' }])
  })
}
