import { submitter } from '#functions/publish/submit.ts'
import { withWelcome } from '#functions/publish/welcome.ts'
import { openLog } from './log-and-store.ts'
import { wiring } from './wiring.ts'

/** The parts of publish that HTTP and gRPC share in a process, so that both recognise a command that the other has seen. */

const wired = await wiring()

export const parts = { ...wired, log: await openLog(wired.settings) }

export const submit = withWelcome(parts.domains, submitter(parts), parts.logger)
