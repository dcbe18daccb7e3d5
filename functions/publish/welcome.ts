import { Problem } from '#adapters/host/http.ts'
import { logger } from '#adapters/telemetry/logger.ts'
import type { Caller, Domain } from '#domains/domain.ts'
import { commandTypes } from '../domains.ts'
import { ANONYMOUS } from '../ids.ts'
import type { Submission, Submit } from './submit.ts'

const MOST_MET = 10_000

/**
 * Sends the domains' welcoming commands for a caller whom this process has not met, before the caller's own first command,
 * with the same id each time: who comes again, or by another process, is welcomed once. Commands of a caller stay in order.
 */
export function welcoming(domains: Domain[], submit: Submit): Submit {
  const welcomes = [...commandTypes(domains).values()].filter(({ command }) => command.welcome)
  const met = new Map<string, Promise<void> | undefined>()

  async function welcome(caller: Caller, { trace, signal }: Submission): Promise<void> {
    const { name, email } = caller
    const given = { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) }
    for (const known of welcomes) {
      const { data, success } = known.command.data.safeParse(given)
      if (success) await submit(known, data, caller, { headers: {}, trace, signal, key: known.type })
    }
  }

  function meet(caller: Caller, submission: Submission): Promise<void> {
    const [oldest = ''] = met.keys()
    if (met.size === MOST_MET) met.delete(oldest)
    const meeting = welcome(caller, submission).then(
      () => void met.set(caller.id, undefined),
      (error) => {
        met.delete(caller.id)
        if (!(error instanceof Problem)) throw error
        if (error.status === 503) throw away(error)
        logger.warn({ trace: submission.trace.traceId, err: error }, 'a caller is not welcomed')
      },
    )
    met.set(caller.id, meeting)
    return meeting
  }

  const isWelcome = ({ id, scopes }: Caller): boolean =>
    id !== ANONYMOUS && welcomes.some(({ command: { scope } }) => scope === undefined || scopes.has(scope))

  return function submitWelcomed(known, data, caller, submission) {
    if (!isWelcome(caller)) return submit(known, data, caller, submission)
    const meeting = met.has(caller.id) ? met.get(caller.id) : meet(caller, submission)
    if (!meeting) return submit(known, data, caller, submission)
    return meeting.then(() => submit(known, data, caller, submission))
  }
}

/** The caller's own command is not tried: it would wait as long again, to the same end. */
const away = (cause: Problem): Problem =>
  new Problem(503, 'Log unavailable', 'The log can not take commands now. Nothing was done; repeat it later.', {
    cause,
    headers: { 'retry-after': '1' },
  })
