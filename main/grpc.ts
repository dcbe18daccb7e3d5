import { type GrpcOptions, type GrpcServer, startGrpc } from '#adapters/grpc/server.ts'
import { grpcMethods } from '#functions/publish/grpc-methods.ts'
import { MAX_EVENT_BYTES } from '#functions/publish/parse-request.ts'
import { findProtos } from './find-protos.ts'
import { parts, submit } from './publish-wiring.ts'

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
    methods: grpcMethods(parts, submit),
    maxMessageBytes: MAX_EVENT_BYTES,
  })
