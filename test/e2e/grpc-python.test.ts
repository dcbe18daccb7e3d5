import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { history } from '../grpc.ts'
import { discard, eventually, type Mill, startMill } from '../mill.ts'
import { grpcTools } from '../services/install.ts'

/** Compiles sums.proto with Google's tools and calls the service, as a user does. */
const compiled = mkdtempSync(join(tmpdir(), 'sums-'))
const page = readFileSync('docs/grpc.md', 'utf8')
let mill: Mill
let python = ''
let lack: Error | undefined
beforeAll(async () => {
  python = await grpcTools().catch((error: Error) => {
    lack = error
    return ''
  })
  if (lack && process.env.CI === 'true') throw lack
  mill = await startMill({ pair: inject('pair') })
})
beforeEach(({ skip }) => skip(lack !== undefined, `grpcio can not be installed: ${lack?.message}`))
afterAll(async () => {
  rmSync(compiled, { recursive: true })
  await mill?.stop()
  if (mill) discard(mill)
})

const run = async (args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(python, args, { env: { ...process.env, PYTHONPATH: compiled } })
  return stdout
}

test('the command in docs/grpc.md compiles the .proto file', async () => {
  const [, args = ''] = /^python (-m grpc_tools\.protoc .*)$/m.exec(page) ?? []
  expect(await run(args.replaceAll('_out=.', `_out=${compiled}`).split(' '))).toBe('')
})

test('the program in docs/grpc.md adds two numbers', async () => {
  const [, program = ''] = /^```python\n(.*?)^```$/ms.exec(page) ?? []
  expect(program).toContain("'localhost:50051'")
  expect(await run(['-c', program.replace('localhost:50051', mill.grpc)])).toBe('5\n')
})

test('a Python client sees repeats, codes, trailers, health and reflection as expected', async () => {
  const result = JSON.parse(await run(['test/e2e/sums_client.py', mill.grpc]))
  expect(result).toMatchObject({
    results: [42, 42, 42],
    overflow: ['OUT_OF_RANGE', 'the sum does not fit into 32 bits', expect.stringMatching(/^00-[0-9a-f]{32}-/)],
    health: 'SERVING',
    services: ['SumService'],
    fields: ['firstNumber', 'secondNumber', 'requestId'],
  })
  const found = async () => (await history(mill.query)).filter(({ requestId }) => requestId === result.requestId)
  await eventually(async () => expect(await found()).toMatchObject([{ result: 42 }]))
})
