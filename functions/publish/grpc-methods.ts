import { authorize, type CallerOf } from '#core/access.ts'
import type { Clock } from '#core/clock.ts'
import type { GrpcMethod } from '#core/grpc-method.ts'
import { commandTypes } from '#core/registry.ts'
import type { Domain } from '#domains/domain.ts'
import { validate } from './parse-request.ts'
import { deadlineOf, type Submit } from './submit.ts'

interface GrpcMethodsParts {
  domains: Domain[]
  callerOf: CallerOf
  clock: Clock
}

/** publish over gRPC: identify the caller, validate the command, submit it, respond. */
export const grpcMethods = ({ domains, callerOf, clock }: GrpcMethodsParts, submit: Submit): GrpcMethod[] =>
  [...commandTypes(domains).values()].flatMap((known) =>
    (known.command.calls ?? []).map(({ method, read, answer }) => ({
      name: method,
      async serve(call) {
        call.servedBy = { domain: known.domain.name, type: known.type }
        const caller = await callerOf(call.headers, deadlineOf(call, clock))
        authorize(known.command, caller)
        const data = validate(known.command, read(call.message))
        await submit(known, data, caller, call)
        return answer(data)
      },
    })),
  )
