import { connect } from 'node:http2'
import { createRequire } from 'node:module'
import {
  type CallOptions,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const { resolve } = createRequire(import.meta.url)

export const SUMS = 'domains/sums/sums.proto'
/** The .proto file of the system that Millrace replaces. */
export const ORIGINAL = 'test/e2e/original.proto'
export const HEALTH = resolve('grpc-health-check/package.json').replace('package.json', 'proto/health/v1/health.proto')
export const reflection = (version: 'v1' | 'v1alpha') =>
  resolve('@grpc/reflection').replace(/src\/index\.js$/, `proto/grpc/reflection/${version}/reflection.proto`)

export interface Answer<Message> {
  message?: Message
  error?: ServiceError
  /** The trailers, also those of an error. */
  trailers: Record<string, string>
}

export interface Client {
  call<Message>(method: string, message: object, metadata?: object, options?: CallOptions): Promise<Answer<Message>>
  /** Opens a stream, sends the message and keeps the stream open. */
  open(method: string, message: object): Stream
  close(): void
}

export interface Stream {
  next(): Promise<object>
  ended(): Promise<StatusObject>
}

/** A client of one service, generated from its .proto file. */
export function grpcClient(address: string, proto: string, service: string, config: object = {}): Client {
  const declared = loadPackageDefinition(
    loadSync(proto, { keepCase: true, defaults: true, oneofs: true, enums: String }),
  )
  const find = (at: object, name: string) => (at as Record<string, object>)[name] as object
  const Constructor = service.split('.').reduce(find, declared as object) as ServiceClientConstructor
  const client = new Constructor(address, credentials.createInsecure(), {
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [], ...config }),
  })
  const metadataOf = (headers: object) => {
    const metadata = new Metadata()
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
    return metadata
  }
  return {
    call: (method, message, headers = {}, options = {}) =>
      new Promise((resolve) => {
        let answer: object = {}
        const call = client[method]?.(message, metadataOf(headers), options, (error: ServiceError, message: object) => {
          answer = error ? { error } : { message }
        })
        call.on('status', ({ metadata }: StatusObject) =>
          setImmediate(() => resolve({ ...answer, trailers: metadata.getMap() as Record<string, string> })),
        )
      }),
    open(method, message) {
      const { requestStream } = Constructor.service[method] ?? {}
      const stream = requestStream ? client[method]?.() : client[method]?.(message)
      if (requestStream) stream.write(message)
      const seen: object[] = []
      stream.on('data', (message: object) => seen.push(message))
      stream.on('error', () => undefined)
      const ended = new Promise<StatusObject>((resolve) => stream.on('status', resolve))
      return {
        ended: () => ended,
        async next() {
          if (seen.length === 0) await Promise.race([new Promise((resolve) => stream.once('data', resolve)), ended])
          return seen.shift() ?? {}
        },
      }
    },
    close: () => client.close(),
  }
}

/** Makes a unary call with these bytes. Resolves with the headers, trailers and bytes of the response. */
export async function rawCall(
  address: string,
  path: string,
  message: Uint8Array,
  headers: Record<string, string> = {},
  isCompressed = false,
): Promise<{ headers: Record<string, string>; message: Buffer }> {
  const session = connect(`http://${address}`)
  try {
    const fixed = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' }
    const stream = session.request({ ...fixed, ...headers })
    const head = Buffer.alloc(5)
    head.writeUInt8(isCompressed ? 1 : 0, 0)
    head.writeUInt32BE(message.length, 1)
    stream.end(Buffer.concat([head, message]))
    const answered: Record<string, string> = {}
    stream.on('response', (headers) => Object.assign(answered, headers))
    stream.on('trailers', (trailers) => Object.assign(answered, trailers))
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk)
    return { headers: answered, message: Buffer.concat(chunks).subarray(5) }
  } finally {
    session.close()
  }
}

export interface Sum {
  requestId: string
  firstNumber: number
  secondNumber: number
  result: number
}

/** All sums of the history. */
export async function history(query: string): Promise<Sum[]> {
  const headers = { accept: 'application/x-ndjson' }
  const text = await (await fetch(`${query}/api/final/history`, { headers })).text()
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Sum]))
}
