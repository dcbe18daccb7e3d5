import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js'
import { ADVICE } from '../host/local-only.ts'

/** Refuses calls for another host, to whichever service, before anything of them is read. */
export const admitting =
  (accepts: (authority: string) => boolean): ServerInterceptor =>
  (_, call) =>
    new ServerInterceptingCall(call, {
      start(begin) {
        if (accepts(call.getHost())) begin()
        else call.sendStatus({ code: status.PERMISSION_DENIED, details: ADVICE })
      },
    })
