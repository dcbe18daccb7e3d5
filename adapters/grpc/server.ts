import { isIPv6 } from 'node:net'
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js'
import { load, type PackageDefinition } from '@grpc/proto-loader'
import { HealthImplementation } from 'grpc-health-check'
import protobuf, { type NamespaceBase } from 'protobufjs'
import { MINUTE_MS } from '#core/clock.ts'
import type { GrpcMethod } from '#core/grpc-method.ts'
import type { Telemetry } from '#core/telemetry.ts'
import { authorityCheck } from './authority-check.ts'
import './unreadable-metadata.ts'
import { observeCalls } from './call-observer.ts'
import { reflectionOf } from './reflection.ts'
import { messageDeserializer, unary } from './unary.ts'

export interface GrpcOptions {
  port: number
  address: string
  /** The .proto files that declare the methods. */
  protos: string[]
  methods: GrpcMethod[]
  maxMessageBytes: number
  telemetry: Telemetry
  /** The reason to refuse a call to this authority, or undefined to serve it. */
  refusal?: ((authority: string) => string | undefined) | undefined
  /** The longest time that open calls may take once the server closes. */
  drainWithinMs?: number
}

export interface GrpcServer {
  port: number
  /** Reports NOT_SERVING, refuses new calls and finishes open ones. */
  close(): Promise<void>
}

/** The number of open calls on one connection. A client with more waits, or opens another connection. */
const MAX_STREAMS = 1000
/** The interval of pings, which detect clients that vanished. */
const PING_EVERY_MS = MINUTE_MS
const PONG_WITHIN_MS = 20_000

/** Serves gRPC methods with the standard health and reflection services. TLS is the job of the mesh or the ingress. */
export async function startGrpc(options: GrpcOptions): Promise<GrpcServer> {
  const { protos, methods, telemetry, drainWithinMs = 25_000 } = options
  const declared = await load(protos, {
    keepCase: true,
    longs: String,
    enums: String,
    bytes: String,
    defaults: true,
    oneofs: true,
  })
  const types = await new protobuf.Root().load(protos, { keepCase: true })
  const services = servicesOf(declared, types.resolveAll(), options)
  const ours = new Set(methods.map(({ name }) => `/${name}`))
  const { interceptor, endStreams } = observeCalls((path) => ours.has(path), telemetry.metrics)
  const server = new Server({
    interceptors: [interceptor, ...(options.refusal ? [authorityCheck(options.refusal)] : [])],
    'grpc.max_receive_message_length': options.maxMessageBytes,
    'grpc.max_concurrent_streams': MAX_STREAMS,
    'grpc.keepalive_time_ms': PING_EVERY_MS,
    'grpc.keepalive_timeout_ms': PONG_WITHIN_MS,
    'grpc.enable_channelz': 0,
  })
  for (const { definition, implementation } of services.values()) server.addService(definition, implementation)
  const health = new HealthImplementation()
  const reportHealth = (state: 'SERVING' | 'NOT_SERVING') => {
    for (const name of ['', ...services.keys()]) health.setStatus(name, state)
  }
  reportHealth('SERVING')
  health.addToServer(server)
  reflectionOf(declared).addToServer(server)
  const host = isIPv6(options.address) ? `[${options.address}]` : options.address
  const port = await bind(server, `${host}:${options.port}`)

  return {
    port,
    async close() {
      reportHealth('NOT_SERVING')
      const { promise: closed, resolve: done } = Promise.withResolvers<void>()
      server.tryShutdown(() => done())
      endStreams()
      const cut = setTimeout(() => {
        server.forceShutdown()
        done()
      }, drainWithinMs)
      await closed
      clearTimeout(cut)
    },
  }
}

interface Service {
  definition: ServiceDefinition
  implementation: UntypedServiceImplementation
}

/** The services by name. Throws for a method that no .proto file declares. */
function servicesOf(
  declared: PackageDefinition,
  types: NamespaceBase,
  { methods, telemetry }: GrpcOptions,
): Map<string, Service> {
  const services = new Map<string, Service>()
  for (const { name, serve } of methods) {
    const [service = '', method = ''] = name.split('/')
    const definition = declared[service] as ServiceDefinition | undefined
    const declaration = definition?.[method]
    const type = declaration && types.lookupService(service).methods[method]?.resolvedRequestType
    if (!type || declaration.requestStream || declaration.responseStream) {
      throw new Error(`no .proto file declares a unary ${name}`)
    }
    const before = services.get(service) ?? { definition, implementation: {} }
    services.set(service, {
      definition: { ...before.definition, [method]: { ...declaration, requestDeserialize: messageDeserializer(type) } },
      implementation: { ...before.implementation, [method]: unary(serve, telemetry) },
    })
  }
  return services
}

const bind = (server: Server, address: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    )
  })
