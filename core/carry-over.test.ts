import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import sums from '#domains/sums/domain.ts'
import tutorials from '#domains/tutorials/domain.ts'
import { carryOverDiscards } from './carry-over.ts'
import { collections, discards } from './collections.ts'

test('given discards that version 0.1 marked among the attempts, then they are carried over, once', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'carry-over-'))
  const file = openFile(dir)
  const store = embeddedStore(file)
  const domains = [sums, tutorials]
  await store.prepare(collections(domains))
  await carryOverDiscards(store, domains)
  expect(await store.get(discards, ['sums', 'tutorials'])).toEqual(new Map())

  await store.insert({ name: 'tries', indexes: {} }, [{ _id: 'discards of sums' }, { _id: 'a command', faults: 1 }])
  for (let start = 0; start < 2; start++) await carryOverDiscards(store, domains)
  expect([...(await store.get(discards, ['sums', 'tutorials'])).keys()]).toEqual(['sums'])

  await store.close()
  file.close()
  rmSync(dir, { recursive: true })
})
