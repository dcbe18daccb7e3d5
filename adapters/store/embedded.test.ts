import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import { Unavailable } from '../unavailable.ts'
import { storeContract } from './contract.ts'
import { commitContract, expectWhole } from './contract-commit.ts'
import { addUntilKilled, newLedger } from './contract-ledger.ts'
import { embeddedStore } from './embedded.ts'
import type { StoredCollection } from './store.ts'

const makeDir = () => mkdtempSync(join(tmpdir(), 'store-'))

/** A store on a file of its own, and the file, which `close` closes with it. */
function opened(dir: string) {
  const file = openFile(dir)
  const store = embeddedStore(file)
  let isClosed = false
  const close = async () => {
    if (isClosed) return
    isClosed = true
    await store.close()
    file.close()
  }
  return { file, store: { ...store, close } }
}

const makeGround = async () => {
  const dir = makeDir()
  return { open: () => opened(dir).store, remove: async () => rmSync(dir, { recursive: true }) }
}

storeContract('embedded', makeGround)
commitContract('embedded', makeGround)

const notes: StoredCollection = {
  name: 'notes',
  indexes: { time: { fields: ['time'] }, topic: { fields: ['topic', 'time'] } },
}

/** Inserts for ever, and prints the ids of each batch once it is acknowledged. */
const WRITER = `
  import { openFile } from '#adapters/embedded/file.ts'
  import { embeddedStore } from '#adapters/store/embedded.ts'
  const store = embeddedStore(openFile(process.argv[1]))
  const notes = { name: 'notes', indexes: { time: { fields: ['time'] } } }
  await store.prepare([notes])
  for (;;) {
    const ids = Array.from({ length: 5 }, () => crypto.randomUUID())
    await store.insert(notes, ids.map((_id) => ({ _id, batch: ids })))
    process.stdout.write(ids.join(' ') + '\\n')
    await new Promise((resolve) => setImmediate(resolve))
  }
`

test('given a writer that dies by kill -9, then all that it acknowledged is there, and no batch is there in part', async () => {
  const dir = makeDir()
  const acknowledged: string[] = []
  for (let round = 1; round <= 3; round++) {
    const writer = spawn(process.execPath, ['--input-type=module', '-e', WRITER, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const gone = new Promise((resolve) => writer.once('close', resolve))
    let lines = 0
    for await (const line of createInterface(writer.stdout)) {
      acknowledged.push(...line.split(' ').filter(({ length }) => length === 36))
      if (++lines === 50) writer.kill('SIGKILL')
    }
    await gone
    expect(lines).toBeGreaterThanOrEqual(50)
  }
  const { store } = opened(dir)
  await store.prepare([notes])
  const found = await store.get(notes, acknowledged)
  expect(acknowledged.filter((id) => !found.has(id))).toEqual([])
  const everything = await store.find(notes, { index: 'time', limit: 1_000_000 })
  const ids = new Set(everything.map(({ _id }) => _id))
  for (const { batch } of everything) for (const id of batch as string[]) expect(ids.has(id)).toBe(true)
  await store.close()
  rmSync(dir, { recursive: true })
})

test('given one who dies by kill -9 while it commits, then all that was acknowledged is there, and nothing in part', async () => {
  const dir = makeDir()
  const ledger = newLedger()
  const openStore = `
    import { openFile } from '#adapters/embedded/file.ts'
    import { embeddedStore } from '#adapters/store/embedded.ts'
    const store = embeddedStore(openFile(${JSON.stringify(dir)}))`
  const said: number[] = []
  for (let round = 1; round <= 3; round++) said.push(...(await addUntilKilled(openStore, ledger, 40)))
  const { store } = opened(dir)
  await store.prepare([ledger.totals, ledger.entries])
  expect(new Set(said).size).toBe(said.length)
  await expectWhole(store, ledger, Math.max(...said))
  expect(said.length).toBeGreaterThanOrEqual(120)
  await store.close()
  rmSync(dir, { recursive: true })
})

test('given a file that can not be written, then writes are refused as an outage, and work again after it', async () => {
  const dir = makeDir()
  const { file, store } = opened(dir)
  await store.prepare([notes])
  file.database.exec('PRAGMA query_only = ON')
  for (const write of [
    () => store.insert(notes, [{ _id: 'a' }]),
    () => store.commit([{ collection: notes, put: [{ _id: 'a' }] }]),
    () => store.increment(notes, ['a']),
    () => store.remove(notes, ['a']),
  ]) {
    await expect(write()).rejects.toMatchObject({ name: 'Unavailable', what: 'store' })
  }
  file.database.exec('PRAGMA query_only = OFF')
  expect(await store.insert(notes, [{ _id: 'a' }])).toEqual(new Set())
  await store.close()
  rmSync(dir, { recursive: true })
})

test('given a file that was closed under it, then every call is refused as an outage', async () => {
  const dir = makeDir()
  const file = openFile(dir)
  const store = embeddedStore(file)
  await store.prepare([notes])
  const calls: (() => Promise<unknown>)[] = [
    () => store.prepare([notes]),
    () => store.insert(notes, [{ _id: 'a' }]),
    () => store.commit([{ collection: notes, put: [{ _id: 'a' }] }]),
    () => store.get(notes, ['a']),
    () => store.find(notes, { index: 'time', limit: 1 }),
    () => store.increment(notes, ['a']),
    () => store.remove(notes, ['a']),
    () => store.ping(),
    () => store.watch(notes, { signal: new AbortController().signal })[Symbol.asyncIterator]().next(),
  ]
  for (const call of calls.slice(1, 8)) await call()
  file.close()
  for (const call of calls) await expect(call(), String(call)).rejects.toBeInstanceOf(Unavailable)
  await store.close()
  rmSync(dir, { recursive: true })
})

test('given a collection that was not prepared, then using it is a mistake, not an outage', async () => {
  const dir = makeDir()
  const { store } = opened(dir)
  for (const call of [
    () => store.insert(notes, [{ _id: 'a' }]),
    () => store.commit([{ collection: notes, insert: [{ _id: 'a' }] }]),
    () => store.increment(notes, ['a']),
  ]) {
    await expect(call()).rejects.toMatchObject({ name: 'Error', message: 'no such table: doc_notes' })
  }
  await store.close()
  rmSync(dir, { recursive: true })
})

test('given documents past their time, then the next start removes them, and no others', async () => {
  const dir = makeDir()
  const short = { ...notes, name: 'short', expireAfter: 100 }
  const { file, store } = opened(dir)
  await store.prepare([short, notes])
  for (const collection of [short, notes]) await store.insert(collection, [{ _id: 'old' }, { _id: 'counted' }])
  for (const { name } of [short, notes]) file.database.exec(`UPDATE "doc_${name}" SET at = at - 101000`)
  await store.increment(short, ['counted'])
  await store.insert(short, [{ _id: 'new' }])
  await store.close()
  const again = opened(dir).store
  await again.prepare([short, notes])
  expect([...(await again.get(short, ['old', 'counted', 'new'])).keys()].toSorted()).toEqual(['counted', 'new'])
  expect((await again.get(notes, ['old', 'counted'])).size).toBe(2)
  await again.close()
  rmSync(dir, { recursive: true })
})

test.each([false, true])(
  'given a declared index, then a page is read along it, not sorted (newest first: %s)',
  async (newestFirst) => {
    const dir = makeDir()
    const { file, store } = opened(dir)
    await store.prepare([notes])
    const statements: string[] = []
    const { prepare } = file.database
    file.database.prepare = (sql, ...rest) => {
      statements.push(sql)
      return prepare.call(file.database, sql, ...rest)
    }
    const byTopic = { index: 'topic', where: { topic: 'x' } }
    for (const query of [{ index: 'time' }, { index: 'topic' }, byTopic]) {
      await store.find(notes, { ...query, newestFirst, limit: 5 })
      for (const time of [1, null]) {
        await store.find(notes, { ...query, after: { _id: 'a', topic: 'x', time }, newestFirst, limit: 5 })
      }
    }
    file.database.prepare = prepare
    expect(statements.length).toBeGreaterThan(10)
    for (const sql of statements) {
      const places = sql
        .split('?')
        .slice(1)
        .map(() => 1)
      const plan = file.database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...places)
      const steps = plan.map(({ detail }) => String(detail)).join('\n')
      expect(steps).toMatch(/USING (COVERING )?INDEX doc_notes_(time|topic)/)
      expect(steps).not.toContain('TEMP B-TREE')
    }
    await store.close()
    rmSync(dir, { recursive: true })
  },
)
