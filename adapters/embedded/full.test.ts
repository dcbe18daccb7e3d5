import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Log } from '#core/log.ts'
import type { Store } from '#core/store.ts'
import { embeddedLog } from '../log/embedded.ts'
import { withBreaker } from '../store/breaker.ts'
import { embeddedStore } from '../store/embedded.ts'
import { type EmbeddedFile, openFile } from './file.ts'

/** SQLite's own limit stands in for the disk's: its error is the same one. A real full disk is in test/faults/disk.test.ts. */
const setSpace = (pages: number) => file.database.exec(`PRAGMA max_page_count = ${pages}`)
const ENDLESS = 1_000_000

const notes = { name: 'notes', indexes: {} }
const text = 'x'.repeat(20_000)

let dir: string
let file: EmbeddedFile
let log: Log
let store: Store

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'full-'))
  file = openFile(dir)
  log = embeddedLog(file)
  store = withBreaker(embeddedStore(file))
  await Promise.all([log.ensure([{ name: 'topic', partitions: 1 }]), store.prepare([notes])])
  await log.append('topic', { key: 'k', value: 'before' })
  await store.insert(notes, [{ _id: 'before' }])
})

afterEach(async () => {
  setSpace(ENDLESS)
  await Promise.all([log.close(), store.close()])
  file.close()
  rmSync(dir, { recursive: true })
})

const away = { name: 'Unavailable', message: expect.stringMatching(/no space left to write .*millrace\.db.*resumes/s) }

test('given a full disk, then writes are refused with the remedy, reads continue, and writes succeed once there is space', async () => {
  setSpace(1)
  for (let time = 0; time < 5; time++) {
    await expect(log.append('topic', { key: 'k', value: text })).rejects.toMatchObject(away)
    await expect(store.insert(notes, [{ _id: 'no', text }])).rejects.toMatchObject({ name: 'Unavailable' })
    await expect(store.commit([{ collection: notes, put: [{ _id: 'no', text }] }])).rejects.toMatchObject({
      name: 'Unavailable',
    })
    expect([...(await store.get(notes, ['before', 'no'])).keys()]).toEqual(['before'])
    expect(await log.lag('topic', 'nobody')).toEqual(new Map([[0, 1]]))
  }
  await expect(log.ping()).rejects.toMatchObject({ ...away, what: 'log' })
  await expect(store.ping()).rejects.toMatchObject({ ...away, what: 'store' })

  setSpace(ENDLESS)
  expect(await log.append('topic', { key: 'k', value: text })).toEqual({ partition: 0, offset: 1 })
  await vi.waitFor(() => store.insert(notes, [{ _id: 'yes', text }]), { timeout: 5000 })
  await Promise.all([log.ping(), store.ping()])
})

test('given a consumer, then it continues by itself after a failed read', async () => {
  const errors: Error[] = []
  const taken: string[] = []
  const options = { topic: 'topic', group: 'g', initialOffset: 'earliest', maxRecords: 10 } as const
  file.database.exec('ALTER TABLE log_records RENAME TO log_away')
  await log.consume({ ...options, onError: (error) => errors.push(error) }, async (records) => {
    taken.push(...records.map(({ value }) => String(value)))
  })
  await vi.waitFor(() => expect(errors).not.toEqual([]), { timeout: 5000 })
  file.database.exec('ALTER TABLE log_away RENAME TO log_records')
  await vi.waitFor(() => expect(taken).toEqual(['before']), { timeout: 5000 })
})
