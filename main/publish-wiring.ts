import { submitter } from '#functions/publish/submit.ts'
import { withWelcome } from '#functions/publish/welcome.ts'
import { openLog } from './open.ts'
import { wiring } from './wiring.ts'

/** What HTTP and gRPC share in one process, so that a repeated command is known whichever way it comes. */

const wired = await wiring()

export const parts = { ...wired, log: await openLog(wired.settings) }

export const submit = withWelcome(parts.domains, submitter(parts), parts.logger)
