import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js'

/** Refuses calls to a wrong authority before their messages are read, whatever service they are for. */
export const authorityCheck =
  (refusal: (authority: string) => string | undefined): ServerInterceptor =>
  (_, call) =>
    new ServerInterceptingCall(call, {
      start(begin) {
        const details = refusal(call.getHost())
        if (details === undefined) begin()
        else call.sendStatus({ code: status.PERMISSION_DENIED, details })
      },
    })
