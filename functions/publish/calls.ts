import type { Method } from '#adapters/grpc/unary.ts'
import type { Domain } from '#domains/domain.ts'
import { commandTypes } from '../domains.ts'
import { checked } from './read.ts'
import type { Submit } from './submit.ts'

/** publish over gRPC: check the command, submit it, answer. */
export const methods = (domains: Domain[], submit: Submit): Method[] =>
  [...commandTypes(domains).values()].flatMap((known) =>
    (known.command.calls ?? []).map(({ method, read, answer }) => ({
      name: method,
      async serve(call) {
        const data = checked(known.command, read(call.message))
        await submit(known, data, call)
        return answer(data)
      },
    })),
  )
