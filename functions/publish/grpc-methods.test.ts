import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { status } from '@grpc/grpc-js'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { startGrpc } from '#adapters/grpc/server.ts'
import { systemClock } from '#core/clock.ts'
import type { Domain } from '#domains/domain.ts'
import { findProtos } from '#main/find-protos.ts'
import { anybody } from '#test/auth/anybody.ts'
import { keptLog } from '#test/author.ts'
import { grpcClient } from '#test/grpc.ts'
import { quiet } from '#test/telemetry.ts'
import { grpcMethods } from './grpc-methods.ts'
import type { Submit } from './submit.ts'

const proto = `syntax = "proto3";
package notes.v1;
service Notes { rpc Write (Note) returns (Written); }
message Note { string text = 1; repeated string tags = 2; int64 size = 3; }
message Written { uint32 length = 1; }`

const notes = {
  kind: 'append',
  name: 'notes',
  topic: { name: 'notes', partitions: 1 },
  commands: {
    'notes.write': {
      data: z.strictObject({ text: z.string().min(1), tags: z.array(z.string()), size: z.string() }),
      stream: () => 'notes',
      routes: [],
      calls: [
        {
          method: 'notes.v1.Notes/Write',
          read: (message) => message,
          answer({ text }) {
            if (text === 'bug') throw new Error('division by zero')
            return { length: String(text).length }
          },
        },
      ],
    },
  },
  documents: { collection: { name: 'notes', indexes: {} }, document: ({ data }) => data },
  queries: [],
} satisfies Domain

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

test('a domain with a .proto file and a declared call is served over gRPC', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'domains-'))
  closers.push(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'notes'))
  mkdirSync(join(folder, 'silent'))
  writeFileSync(join(folder, 'notes', 'notes.proto'), proto)
  const protos = await findProtos(pathToFileURL(`${folder}/`))
  const taken: unknown[] = []
  const submit: Submit = async ({ type }, data) => {
    taken.push([type, data])
    return { id: 'id', receipt: 'receipt', isApplied: false }
  }
  const { logger, lines } = keptLog()
  const server = await startGrpc({
    telemetry: { ...quiet(), logger },
    port: 0,
    address: '127.0.0.1',
    protos,
    methods: grpcMethods({ domains: [notes], callerOf: anybody, clock: systemClock }, submit),
    maxMessageBytes: 1024,
  })
  const client = grpcClient(`127.0.0.1:${server.port}`, protos[0] ?? '', 'notes.v1.Notes')
  closers.push(server.close, client.close)

  expect((await client.call('Write', { text: 'It turns', size: 7 })).message).toEqual({ length: 8 })
  expect(taken).toEqual([['notes.write', { text: 'It turns', tags: [], size: '7' }]])
  expect((await client.call('Write', {})).error).toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringContaining('text: '),
  })
  expect(taken).toHaveLength(1)
  expect((await client.call('Write', { text: 'bug' })).error).toMatchObject({
    code: status.INTERNAL,
    details: expect.not.stringContaining('zero'),
  })
  const report = { domain: 'notes', type: 'notes.write', detail: 'division by zero', message: 'a request failed' }
  expect(lines).toEqual([expect.objectContaining(report)])
})
