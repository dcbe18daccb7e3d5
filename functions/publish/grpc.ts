import { type GrpcOptions, type GrpcServer, startGrpc } from '#adapters/grpc/server.ts'
import { findProtos } from '../find-protos.ts'
import { methods } from './calls.ts'
import { callerOf, domains, submit } from './instance.ts'
import { MAX_EVENT_BYTES } from './read.ts'

/** client --gRPC--> publish --CloudEvent--> log */
export const startPublish = async (
  port: number,
  address: string,
  accepts?: GrpcOptions['accepts'],
): Promise<GrpcServer> =>
  startGrpc({
    port,
    address,
    accepts,
    protos: await findProtos(),
    methods: methods(domains, callerOf, submit),
    maxMessageBytes: MAX_EVENT_BYTES,
  })
