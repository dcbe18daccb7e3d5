import { submitter } from '#functions/publish/submit.ts'
import { welcoming } from '#functions/publish/welcome.ts'
import { openLog } from './log-and-store.ts'
import { wiring } from './wiring.ts'

/** What HTTP and gRPC share in one process, so that a repeated command is known whichever way it comes. */

const wired = await wiring()

export const parts = { ...wired, log: await openLog(wired.settings) }

export const submit = welcoming(parts.domains, submitter(parts), parts.logger)
