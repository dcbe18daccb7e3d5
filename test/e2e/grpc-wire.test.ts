import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { isDeepStrictEqual, promisify } from 'node:util'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { messageReader } from '#adapters/grpc/message.ts'
import { MalformedMessage } from '#adapters/grpc/wire.ts'
import { KITCHEN_SINK, messages } from '../proto.ts'
import { grpcTools } from '../services/install.ts'

/** Compares our decoder of messages with Google's. */
const folder = mkdtempSync(join(tmpdir(), 'wire-'))
let python = ''
let lack: Error | undefined
beforeAll(async () => {
  python = await grpcTools().catch((error: Error) => {
    lack = error
    return ''
  })
  if (lack && process.env.CI === 'true') throw lack
  if (lack) return
  writeFileSync(join(folder, 'sink.proto'), KITCHEN_SINK)
  await promisify(execFile)(python, ['-m', 'grpc_tools.protoc', `-I${folder}`, `--python_out=${folder}`, 'sink.proto'])
})
beforeEach(({ skip }) => skip(lack !== undefined, `grpcio can not be installed: ${lack?.message}`))
afterAll(() => rmSync(folder, { recursive: true }))

/** The messages that Google's decoder reads; null for invalid bytes. */
async function readByGoogle(all: Buffer[]): Promise<unknown[]> {
  const reader = spawn(python, ['test/e2e/wire_reader.py'], {
    env: { ...process.env, PYTHONPATH: folder },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  reader.stdin.end(all.map((bytes) => `${bytes.toString('hex')}\n`).join(''))
  const lines = (await text(reader.stdout)).trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line))
}

const type = protobuf.parse(KITCHEN_SINK, { keepCase: true }).root.resolveAll().lookup('All') as protobuf.Type
const read = messageReader(type)

/** Doubles as their bits, since JSON cannot represent all of them. */
function comparable(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => comparable(item, name))
  if (typeof value === 'number' && /double|float/.test(name)) {
    const bits = Buffer.alloc(8)
    bits.writeDoubleBE(value)
    return Number.isNaN(value) ? 'NaN' : bits.toString('hex')
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, comparable(member, name)]))
}

const encoded = messages(true).map((message) => Buffer.from(type.encode(type.fromObject(message)).finish()))
const mutated = fc
  .tuple(encoded, fc.array(fc.tuple(fc.nat(), fc.integer({ min: -1, max: 255 })), { minLength: 1, maxLength: 4 }))
  .map(([bytes, changes]) => {
    const mutant = [...bytes.subarray(0, 200)]
    for (const [place, byte] of changes) {
      const at = place % (mutant.length + 1)
      if (byte < 0) mutant.splice(at, 1)
      else if (place % 3 === 0) mutant.splice(at, 0, byte)
      else mutant[at] = byte
    }
    return Buffer.from(mutant)
  })
const tag = fc
  .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 7 }))
  .map(([id, wire]) => [(id << 3) | wire])
const tags = tag.map(([tag = 0]) => (tag < 128 ? [tag] : [(tag & 127) | 128, tag >>> 7]))
const pieces = fc
  .array(fc.oneof(tags, fc.array(fc.nat(255), { maxLength: 3 }), fc.constantFrom([1], [0], [255, 1], [2, 8, 1])), {
    maxLength: 8,
  })
  .map((pieces) => Buffer.from(pieces.flat()))
const two = fc.tuple(encoded, encoded).map((parts) => Buffer.concat(parts))

/** Messages that we refuse but Google accepts, ignoring or changing a part of them, such as field 0 in a group that is not known. */
const STRICTER = /wrong wire type|more than 64 bits|field number 0|__proto__/

test("our decoder accepts and refuses the same messages as Google's", async () => {
  const samples = [fc.sample(encoded, 300), fc.sample(two, 200), fc.sample(mutated, 700), fc.sample(pieces, 3000)]
  const all = samples.flat()
  const theirs = await readByGoogle(all)
  expect(theirs).toHaveLength(all.length)
  const counts = { taken: 0, refused: 0, stricter: 0 }
  for (const [at, bytes] of all.entries()) {
    let ours: unknown
    try {
      ours = comparable(read(bytes))
      counts.taken++
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      ours = null
      counts.refused++
      if (theirs[at] !== null) {
        expect(error.message, bytes.toString('hex')).toMatch(STRICTER)
        counts.stricter++
        continue
      }
    }
    if (!isDeepStrictEqual(ours, theirs[at])) expect(ours, bytes.toString('hex')).toEqual(theirs[at])
  }
  expect(counts.taken).toBeGreaterThan(500)
  expect(counts.refused - counts.stricter).toBeGreaterThan(100)
})
