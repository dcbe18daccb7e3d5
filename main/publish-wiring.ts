import { seals } from '#core/seals.ts'
import { withWelcome } from '#functions/publish/publisher.ts'
import { submitter } from '#functions/publish/submit.ts'
import { findDomains } from './find-domains.ts'
import { openLog } from './log-and-store.ts'
import { wireRequests } from './request-wiring.ts'

/** The parts of publish that HTTP and gRPC share in a process, so that both recognise a command that the other has seen. */

const wired = await wireRequests(await findDomains())

export const parts = { ...wired, seals: seals(wired.secrets), log: await openLog(wired.settings) }

export const submit = withWelcome(parts.domains, submitter(parts), parts.logger)
