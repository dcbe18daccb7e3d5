import { type GrpcOptions, type GrpcServer, startGrpc } from '#adapters/grpc/server.ts'
import type { GrpcMethod } from '#core/grpc-method.ts'
import { grpcMethods } from '#functions/publish/grpc-methods.ts'
import { MAX_EVENT_BYTES } from '#functions/publish/parse-request.ts'
import { findDomains } from './find-domains.ts'
import { findProtos } from './find-protos.ts'
import { wirePublish } from './publish-wiring.ts'
import { telemetry } from './telemetry.ts'

/** client --gRPC--> publish --CloudEvent--> log */
export async function startPublish(port: number, address: string): Promise<GrpcServer> {
  const { parts, submit } = await wirePublish(await findDomains())
  return await startMethods(grpcMethods(parts, submit), { port, address })
}

export const startMethods = async (
  methods: GrpcMethod[],
  options: Pick<GrpcOptions, 'port' | 'address' | 'refusal'>,
): Promise<GrpcServer> =>
  startGrpc({
    ...options,
    telemetry: telemetry(),
    protos: await findProtos(),
    methods,
    maxMessageBytes: MAX_EVENT_BYTES,
  })
