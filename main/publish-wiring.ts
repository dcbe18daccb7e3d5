import type { CallerOf } from '#core/access.ts'
import { seals } from '#core/seals.ts'
import type { Domain } from '#domains/domain.ts'
import { withWelcome } from '#functions/publish/publisher.ts'
import { submitter } from '#functions/publish/submit.ts'
import { assertTopics } from './assert-prepared.ts'
import { openLog } from './log-and-store.ts'
import { wireRequests } from './request-wiring.ts'

/** The parts of publish that HTTP and gRPC share in a process, so that both recognise a command that the other has seen. */
export async function wirePublish(domains: Domain[], callerOf?: CallerOf) {
  const wired = await wireRequests(domains, callerOf)
  const log = await openLog(wired.settings)
  await assertTopics(wired.settings, log, domains)
  const parts = { ...wired, seals: seals(wired.secrets), log }
  return { parts, submit: withWelcome(domains, submitter(parts), parts.logger) }
}
