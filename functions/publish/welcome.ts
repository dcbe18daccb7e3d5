import { ANONYMOUS } from '#core/ids.ts'
import { Problem } from '#core/problem.ts'
import { commandTypes, type KnownType } from '#core/registry.ts'
import type { Logger } from '#core/telemetry.ts'
import type { Caller, Domain } from '#domains/domain.ts'
import type { Submission, Submit } from './submit.ts'

const MOST_MET = 10_000

/**
 * Sends a domain's welcoming commands for a caller whom this process has not met there, before the caller's own first command of
 * that domain, with the same id each time: who comes again, or by another process, is welcomed once. Another domain's commands
 * wait for no welcome: its topic may be there when this one's is away. Commands of a caller stay in order within a domain.
 */
export function withWelcome(domains: Domain[], submit: Submit, logger: Logger): Submit {
  const welcomes = [...commandTypes(domains).values()].filter(({ command }) => command.welcome)
  /** Who was here last stands last; the promise stays, since what hangs on it keeps its order. */
  const met = new Map<string, Promise<void>>()

  const welcomesFor = ({ domain: { name } }: KnownType, { id, scopes }: Caller): KnownType[] =>
    id === ANONYMOUS
      ? []
      : welcomes.filter(
          ({ domain, command: { scope } }) => domain.name === name && (scope === undefined || scopes.has(scope)),
        )

  async function welcome(fitting: KnownType[], caller: Caller, { trace, arrived, signal }: Submission): Promise<void> {
    const { name, email } = caller
    const given = { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) }
    for (const known of fitting) {
      const { data, success } = known.command.data.safeParse(given)
      if (success) await submit(known, data, caller, { headers: {}, trace, arrived, signal, key: known.type })
    }
  }

  /** Resolves when the caller's own command may go. */
  function meet(who: string, fitting: KnownType[], caller: Caller, submission: Submission): Promise<void> {
    return welcome(fitting, caller, submission).catch((error) => {
      // Welcomed a while ago, when the token said something else.
      if (error instanceof Problem && error.members.reusedKey) return
      met.delete(who)
      if (!(error instanceof Problem)) throw error
      if (error.status === 503) throw away(error)
      logger.warn({ trace: submission.trace.traceId, err: error }, 'a caller is not welcomed')
    })
  }

  function keep(who: string, meeting: Promise<void>): void {
    met.delete(who)
    const [oldest = ''] = met.keys()
    if (met.size === MOST_MET) met.delete(oldest)
    met.set(who, meeting)
  }

  return function submitWelcomed(known, data, caller, submission) {
    const fitting = welcomesFor(known, caller)
    if (fitting.length === 0) return submit(known, data, caller, submission)
    const who = `${known.domain.name} ${caller.id}`
    const meeting = met.get(who) ?? meet(who, fitting, caller, submission)
    keep(who, meeting)
    return meeting.then(() => submit(known, data, caller, submission))
  }
}

/** The caller's own command is not tried: it would wait as long again, to the same end. */
const away = (cause: Problem): Problem =>
  new Problem(503, 'Log unavailable', 'The log can not take commands now. Nothing was done; repeat it later.', {
    cause,
    headers: { 'retry-after': '1' },
  })
