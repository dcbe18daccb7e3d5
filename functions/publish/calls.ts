import { systemClock } from '#adapters/clock.ts'
import type { Method } from '#adapters/grpc/unary.ts'
import type { Domain } from '#domains/domain.ts'
import { allow } from '../access.ts'
import type { CallerOf } from '../callers.ts'
import { commandTypes } from '../domains.ts'
import { deadlineOf } from './deadline.ts'
import { checked } from './read.ts'
import type { Submit } from './submit.ts'

/** publish over gRPC: know the caller, check the command, submit it, answer. */
export const methods = (domains: Domain[], callerOf: CallerOf, submit: Submit): Method[] =>
  [...commandTypes(domains).values()].flatMap((known) =>
    (known.command.calls ?? []).map(({ method, read, answer }) => ({
      name: method,
      async serve(call) {
        const caller = await callerOf(call.headers, deadlineOf(call, systemClock))
        allow(known.command, caller)
        const data = checked(known.command, read(call.message))
        await submit(known, data, caller, call)
        return answer(data)
      },
    })),
  )
