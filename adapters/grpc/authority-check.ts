import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js'

/** Refuses calls for another host, to any service, before their messages are read. */
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
