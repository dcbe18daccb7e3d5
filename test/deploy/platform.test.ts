import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { placeOf, Rehearsal, said } from './rehearsal.ts'
import { healthy, once } from './scenario.ts'

// Each call of a tool is a process.
vi.setConfig({ testTimeout: 300_000 })

let rehearsal: Rehearsal
beforeEach(async () => {
  rehearsal = await new Rehearsal().open()
})
afterEach(() => rehearsal.close())

test('a file without a checksum is refused before anything changes', async () => {
  rehearsal.pin((file) => (file === 'eventing-kafka-sink.yaml' ? null : 'a'.repeat(64)))
  const told = await rehearsal.run(['platform'], healthy)
  expect(told.code).toBe(1)
  expect(told.calls).toEqual([])
  rehearsal.pin(() => null)
  expect((await rehearsal.run(['platform'], healthy)).output).toContain('has no checksum yet: run `make pin`')
})

test('a file that differs from its pin is refused before anything changes', async () => {
  rehearsal.edition = 'changed'
  const told = await rehearsal.run(['platform'], healthy)
  expect(told.code).toBe(1)
  expect(told.output).toMatch(
    /serving-crds\.yaml differs from the pinned file:\n {2}pinned [0-9a-f]{64}\n {2}found {2}[0-9a-f]{64}/,
  )
  expect(told.calls).toEqual([])
})

test('fills in missing checksums, and deploy accepts them', async () => {
  rehearsal.pin(() => null)
  const told = await rehearsal.run(['pin'], [])
  expect(told.code, told.output).toBe(0)
  expect((await rehearsal.run(['platform'], healthy)).code).toBe(0)
})

test('never replaces an existing checksum', async () => {
  const before = readFileSync(rehearsal.versions, 'utf8')
  rehearsal.edition = 'changed'
  const told = await rehearsal.run(['pin'], [])
  expect(told.code).toBe(1)
  expect(told.output).toContain('has changed since it was pinned')
  expect(readFileSync(rehearsal.versions, 'utf8')).toBe(before)
})

test('a changed release is installed again', async () => {
  const record = { data: { 'serving-crds.yaml': 'another' } }
  const told = await rehearsal.run(['platform'], [{ call: 'get configmap millrace-serving', says: record }, ...healthy])
  expect(placeOf(told, 'serving-crds.yaml')).toBeGreaterThan(0)
})

test('changed settings of the dispatcher restart it', async () => {
  const settings = 'get configmap config-kafka-source-data-plane'
  const told = await rehearsal.run(
    ['platform'],
    [
      once({ call: settings, says: 'max.poll.records=50' }),
      { call: settings, says: 'max.poll.records=500' },
      ...healthy,
    ],
  )
  expect(placeOf(told, 'rollout restart statefulset kafka-source-dispatcher')).toBeGreaterThan(
    placeOf(told, 'knative/platform'),
  )
})

test('a webhook that does not answer yet is retried; a refusal is not', async () => {
  const core = 'serving-core.yaml'
  const told = await rehearsal.run(
    ['platform'],
    [once({ call: core, fails: 'failed calling webhook "config"' }), ...healthy],
  )
  expect(told.code, told.output).toBe(0)
  expect(said(told).filter((call) => call.includes(core))).toHaveLength(2)
  await rehearsal.close()
  rehearsal = await new Rehearsal().open()
  const refused = await rehearsal.run(['platform'], [{ call: core, fails: 'forbidden' }, ...healthy])
  expect(refused.code).toBe(1)
  expect(said(refused).filter((call) => call.includes(core))).toHaveLength(1)
})
