import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { Rehearsal, said } from '../deploy/rehearsal.ts'
import { lists } from '../deploy/scenario.ts'
import { discard, freePort, type Mill, startMill } from '../mill.ts'

/** Tests `make smoke` on a real mill, with a stand-in for kubectl that stops nothing. */
let mill: Mill
let rehearsal: Rehearsal
beforeAll(async () => {
  mill = await startMill({ pair: inject('pair') })
  rehearsal = await new Rehearsal().open()
}, 60_000)
afterAll(async () => {
  await rehearsal?.close()
  await mill?.stop()
  if (mill) discard(mill)
})

test('make smoke passes over HTTP and does not call the cluster', async () => {
  const result = await rehearsal.run(['smoke'], [], { SITE: mill.publish, FAULTS: 'no' })
  expect(result.code, result.output).toBe(0)
  expect(result.output).toContain('read back after its receipt')
  expect(result.calls).toEqual([])
})

if (inject('pair') === 'real') {
  test('make smoke stops persist and a broker, and waits for the replicas', async () => {
    const BROKERS = process.env.KAFKA_BROKERS ?? ''
    const broker = { kind: 'StatefulSet', metadata: { name: 'kafka' }, spec: { replicas: 1 } }
    const ready = { ...broker, status: { readyReplicas: 1, updatedReplicas: 1 } }
    const result = await rehearsal.run(['smoke'], [lists('get statefulsets', ready)], { SITE: mill.publish, BROKERS })
    expect(result.code, result.output).toBe(0)
    expect(result.output).toContain('every replica is in sync')
    expect(said(result).filter((call) => call.includes('delete pod'))).toEqual([
      expect.stringContaining('--selector serving.knative.dev/service=persist'),
      expect.stringContaining('delete pod kafka-1'),
    ])
  })
}

test('make smoke fails and says what did not happen', async () => {
  const SITE = `http://127.0.0.1:${await freePort()}`
  const result = await rehearsal.run(['smoke'], [], { SITE, FAULTS: 'no', LIMIT: '1' })
  expect(result.code).toBe(1)
  expect(result.output).toContain(`Nothing answers at ${SITE}.`)
})
