import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import { systemClock } from '#core/clock.ts'
import { collections } from '#core/collections.ts'
import type { AppendDomain } from '#domains/domain.ts'
import { quiet } from '#test/telemetry.ts'
import { trusting } from '#test/trust.ts'
import { persister } from './persister.ts'

const notes = { name: 'notes', indexes: {} }

/** Whose documents say another time than the command's, if it were for them. */
const domain: AppendDomain = {
  kind: 'append',
  name: 'notes',
  topic: { name: 'notes', partitions: 1 },
  commands: { 'notes.add': { data: z.object({}), stream: (_, id) => `note/${id}`, routes: [] } },
  documents: { collection: notes, document: () => ({ time: new Date().toISOString() }), retentionDays: 7 },
  queries: [],
}

test('given documents that are removed after days, then a record that is older, or replayed later, makes none again', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'append-'))
  const file = openFile(dir)
  const store = embeddedStore(file)
  await store.prepare(collections([domain]))
  const parts = {
    domains: [domain],
    store,
    clock: systemClock,
    random: Math.random,
    instance: 'pod-1',
    maxInFlight: 10,
    trust: trusting,
    ...quiet(),
  }
  const { persist, close } = persister(parts)
  const times = [8, 6].map((days) => new Date(Date.now() - days * 86_400_000).toISOString())
  for (const [at, time] of times.entries()) {
    const source = { specversion: '1.0', source: '/test', knativekafkapartition: '0', knativekafkaoffset: String(at) }
    expect((await persist({ ...source, id: time, type: 'notes.add', time, data: {} })).status).toBe(204)
  }
  const [, young = ''] = times
  expect([...(await store.get(notes, times)).values()].map(({ time }) => time)).toEqual([young])
  await close()
  await store.close()
  file.close()
  rmSync(dir, { recursive: true })
})
