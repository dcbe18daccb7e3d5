import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import type { Count, Find, Store, StoredCollection } from '#core/store.ts'
import { Unavailable } from '#core/unavailable.ts'
import { storeContract } from '#test/contracts/store.ts'
import { commitContract, expectWhole } from '#test/contracts/store-commit.ts'
import { expiryContract } from '#test/contracts/store-expiry.ts'
import { idsContract } from '#test/contracts/store-ids.ts'
import { indexContract } from '#test/contracts/store-index.ts'
import { addUntilKilled, newLedger } from '#test/contracts/store-ledger.ts'
import { embeddedStore } from './embedded.ts'

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
indexContract('embedded', makeGround)
idsContract('embedded', makeGround)
expiryContract('embedded', makeGround)

const notes: StoredCollection = {
  name: 'notes',
  indexes: {
    time: { fields: ['time'] },
    topic: { fields: ['topic', 'time'] },
    word: { fields: ['topic', 'words', 'time'], each: 'words' },
  },
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

test('given a writer that dies by kill -9, then every acknowledged write is there, and no batch is partial', async () => {
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

test('given a writer that dies by kill -9 during a commit, then every acknowledged commit is there, and none is partial', async () => {
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

test('given a list in an index, then a removed document leaves no items, whatever removes it', async () => {
  const dir = makeDir()
  const short = { ...notes, name: 'short', expireAfter: 100, expireFrom: 'time' }
  const { file, store } = opened(dir)
  await store.prepare([short])
  const items = () => file.database.prepare('SELECT count(*) AS count FROM "doc_short_word items"').get()?.count
  const documents = ['removed', 'over'].map((_id) => ({ _id, words: ['a', 'b', 'a'], time: '2026-01-01T00:00:00Z' }))
  await store.insert(short, documents)
  expect(items()).toBe(4)
  await store.remove(short, ['removed'])
  expect(items()).toBe(2)
  await store.prepare([short])
  expect(items()).toBe(0)
  await store.close()
  rmSync(dir, { recursive: true })
})

test('given an index with other fields in the store, then each prepare warns until the declared fields are those again', async () => {
  const dir = makeDir()
  const file = openFile(dir)
  const warned: string[] = []
  const store = embeddedStore(file, { warn: (_, message) => void warned.push(message) })
  const prepare = async (indexes: StoredCollection['indexes']) => {
    await store.prepare([{ ...notes, indexes: { ...notes.indexes, ...indexes } }])
    return warned.splice(0).map((message) => message.replace(/ of notes has other fields in the store\..+/, ''))
  }
  expect(await prepare({})).toEqual([])
  expect(await prepare({ time: { fields: ['tmie'] } })).toEqual(['the index time'])
  expect(await prepare({ time: { fields: ['time', 'topic'] } })).toEqual(['the index time'])
  expect(await prepare({ time: { fields: [] } })).toEqual(['the index time'])
  expect(await prepare({})).toEqual([])
  const fields = ['topic', 'words', 'time']
  expect(await prepare({ word: { fields } })).toEqual(['the index word'])
  expect(await prepare({ word: { fields, each: 'topic' } })).toEqual(['the index word'])
  expect(await prepare({ word: { fields: ['topic', 'words'], each: 'words' } })).toEqual(['the index word'])
  expect(await prepare({})).toEqual([])
  await store.close()
  file.close()
  rmSync(dir, { recursive: true })
})

test('given a file that can not be written, then writes are refused as an outage, and succeed again afterwards', async () => {
  const dir = makeDir()
  const { file, store } = opened(dir)
  await store.prepare([notes])
  file.database.exec('PRAGMA query_only = ON')
  for (const write of [
    () => store.insert(notes, [{ _id: 'a' }]),
    () => store.commit([{ collection: notes, put: [{ _id: 'a' }] }]),
    () => store.remove(notes, ['a']),
  ]) {
    await expect(write()).rejects.toMatchObject({ name: 'Unavailable', what: 'store' })
  }
  file.database.exec('PRAGMA query_only = OFF')
  expect(await store.insert(notes, [{ _id: 'a' }])).toEqual(new Set())
  await store.close()
  rmSync(dir, { recursive: true })
})

test('given a closed file, then every call is refused as an outage', async () => {
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
    () => store.remove(notes, ['a']),
    () => store.ping(),
    () => store.watch(notes, { signal: new AbortController().signal })[Symbol.asyncIterator]().next(),
    () => store.watchIds([notes])[Symbol.asyncIterator]().next(),
  ]
  for (const call of calls.slice(1, 7)) await call()
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
  ]) {
    await expect(call()).rejects.toMatchObject({ name: 'Error', message: 'no such table: doc_notes' })
  }
  await store.close()
  rmSync(dir, { recursive: true })
})

test('given expired documents, then the next start removes them, and no others', async () => {
  const dir = makeDir()
  const short = { ...notes, name: 'short', expireAfter: 100 }
  const { file, store } = opened(dir)
  await store.prepare([short, notes])
  for (const collection of [short, notes]) await store.insert(collection, [{ _id: 'old' }, { _id: 'counted' }])
  for (const { name } of [short, notes]) file.database.exec(`UPDATE "doc_${name}" SET at = at - 101000`)
  await store.commit([{ collection: short, put: [{ _id: 'counted' }] }])
  await store.insert(short, [{ _id: 'new' }])
  await store.close()
  const again = opened(dir).store
  await again.prepare([short, notes])
  expect([...(await again.get(short, ['old', 'counted', 'new'])).keys()].toSorted()).toEqual(['counted', 'new'])
  expect((await again.get(notes, ['old', 'counted'])).size).toBe(2)
  await again.close()
  rmSync(dir, { recursive: true })
})

/** How SQLite goes about what `ask` asks of the store. */
async function plansOf(ask: (store: Store) => Promise<unknown>): Promise<string[]> {
  const dir = makeDir()
  const { file, store } = opened(dir)
  await store.prepare([notes])
  const statements = new Set<string>()
  const { prepare } = file.database
  file.database.prepare = (sql, ...rest) => {
    statements.add(sql)
    return prepare.call(file.database, sql, ...rest)
  }
  await ask(store)
  file.database.prepare = prepare
  const plans = [...statements].map((sql) => {
    const places = Array.from({ length: sql.split('?').length - 1 }, () => 1)
    const plan = file.database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...places)
    return plan.map(({ detail }) => String(detail)).join('\n')
  })
  await store.close()
  rmSync(dir, { recursive: true })
  return plans
}

test.each([false, true])(
  'given a declared index, then a page is read along it, not sorted (newest first: %s)',
  async (newestFirst) => {
    const where = { topic: 'x', words: 'x' }
    const range = { from: 0, to: 2 }
    const queries: [Omit<Find, 'limit'>, RegExp][] = [
      [{ index: 'time' }, /SCAN/],
      [{ index: 'topic' }, /SCAN/],
      [{ index: 'topic', where: { topic: 'x' } }, /=\?\)/],
      [{ index: 'topic', where: { topic: 'x' }, range }, /=\? AND .*>\? AND .*<\?\)/],
      [{ index: 'word', where }, /=\? AND .*=\?\)/],
      [{ index: 'word', where, range }, /=\? AND .*=\? AND .*>\? AND .*<\?\)/],
    ]
    for (const [query, bounds] of queries) {
      const plans = await plansOf(async (store) => {
        const find = { ...query, newestFirst, limit: 5 }
        await store.find(notes, find)
        for (const time of [1, null]) await store.find(notes, { ...find, after: { _id: 'a', topic: 'x', time } })
      })
      expect(plans.length).toBeGreaterThan(3)
      expect(plans[0]).toMatch(bounds)
      for (const plan of plans) {
        expect(plan).toMatch(new RegExp(`USING (COVERING )?INDEX doc_notes_${query.index}`))
        expect(plan).not.toContain('TEMP B-TREE')
      }
    }
  },
)

test.each<[Omit<Count, 'by' | 'limit'>, RegExp]>([
  [{ index: 'topic', where: { topic: 'x' } }, /=\?\)/],
  [{ index: 'topic', where: { topic: 'x' }, range: { from: 0, to: 2 } }, /=\? AND .*>\? AND .*<\?\)/],
  [{ index: 'word', where: { topic: 'x', words: 'x' }, range: { to: 2 } }, /=\? AND .*=\? AND .*<\?\)/],
])('given %j, then only that part of the index is counted', async (query, bounds) => {
  const plans = await plansOf((store) => store.count(notes, { ...query, by: [{ field: 'time', length: 1 }], limit: 5 }))
  expect(plans).toHaveLength(1)
  expect(plans[0]).toMatch(new RegExp(`USING (COVERING )?INDEX doc_notes_${query.index}`))
  expect(plans[0]).toMatch(bounds)
})
