import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { history } from '../grpc.ts'
import { discard, eventually, type Mill, startMill } from '../mill.ts'
import { grpcTools } from '../services/install.ts'

/** What a user does who is given sums.proto: compiles it with Google's own tools, and calls. */
let mill: Mill
let python: string | Error
beforeAll(async () => {
  python = await grpcTools().catch((error: Error) => error)
  mill = await startMill({ pair: inject('pair') })
})
afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

test('a client in Python, made from the .proto file of the domain', async ({ skip }) => {
  if (python instanceof Error) {
    if (process.env.CI === 'true') throw python
    return skip(`grpcio can not be installed: ${python.message}`)
  }
  const compiled = mkdtempSync(join(tmpdir(), 'sums-'))
  const run = promisify(execFile)
  const into = [`--python_out=${compiled}`, `--grpc_python_out=${compiled}`]
  await run(python, ['-m', 'grpc_tools.protoc', '--proto_path=domains/sums', ...into, 'sums.proto'])
  const env = { ...process.env, PYTHONPATH: compiled }
  const { stdout } = await run(python, ['test/e2e/sums_client.py', mill.grpc], { env })
  rmSync(compiled, { recursive: true })
  const told = JSON.parse(stdout)
  expect(told).toMatchObject({
    results: [42, 42, 42],
    overflow: ['OUT_OF_RANGE', 'the sum does not fit into 32 bits', expect.stringMatching(/^00-[0-9a-f]{32}-/)],
    health: 'SERVING',
    services: ['SumService'],
    fields: ['firstNumber', 'secondNumber', 'requestId'],
  })
  const found = async () => (await history(mill.query)).filter(({ requestId }) => requestId === told.requestId)
  await eventually(async () => expect(await found()).toMatchObject([{ result: 42 }]))
})
