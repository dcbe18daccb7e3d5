import { httpFunction } from '#adapters/host/http.ts'
import type { CallerOf } from '#core/access.ts'
import type { Domain } from '#domains/domain.ts'
import { grpcMethods } from '#functions/publish/grpc-methods.ts'
import { bodyLimits } from '#functions/publish/parse-request.ts'
import { publisher } from '#functions/publish/publisher.ts'
import type { Functions } from '#local/workbench/swappable-functions.ts'
import { wirePersist } from './persist-wiring.ts'
import { wirePublish } from './publish-wiring.ts'
import { wireQuery } from './query-wiring.ts'

/** Wires the three functions for these domains. */
export async function wireFunctions(domains: Domain[], callerOf: CallerOf): Promise<Functions> {
  const { parts, submit } = await wirePublish(domains, callerOf)
  const { persist, close } = await wirePersist(domains)
  return {
    publish: httpFunction(publisher(parts, submit), parts),
    maxBodyBytes: bodyLimits(domains),
    methods: grpcMethods(parts, submit),
    persist,
    query: await wireQuery(domains, callerOf),
    close,
  }
}
