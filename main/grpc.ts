import { type GrpcOptions, type GrpcServer, startGrpc } from '#adapters/grpc/server.ts'
import { methods } from '#functions/publish/calls.ts'
import { MAX_EVENT_BYTES } from '#functions/publish/read.ts'
import { findProtos } from './find-protos.ts'
import { parts, submit } from './publishing.ts'

/** client --gRPC--> publish --CloudEvent--> log */
export const startPublish = async (
  port: number,
  address: string,
  refusal?: GrpcOptions['refusal'],
): Promise<GrpcServer> =>
  startGrpc({
    port,
    address,
    refusal,
    telemetry: parts,
    protos: await findProtos(),
    methods: methods(parts, submit),
    maxMessageBytes: MAX_EVENT_BYTES,
  })
