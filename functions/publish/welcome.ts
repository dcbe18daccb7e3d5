import { BoundedMap } from '#core/bounded-map.ts'
import { ANONYMOUS } from '#core/ids.ts'
import { Problem } from '#core/problem.ts'
import { commandTypes, type KnownType } from '#core/registry.ts'
import type { Logger } from '#core/telemetry.ts'
import type { Caller, Domain } from '#domains/domain.ts'
import { nothingDone } from './log-unavailable.ts'
import type { Submission, Submit } from './submit.ts'

const MAX_CALLERS = 10_000

/**
 * Submits a domain's welcome commands before the first command that a caller sends to that domain through this process. A welcome
 * has the same id each time, so a caller who returns, or comes through another process, is welcomed once. Commands of other
 * domains do not wait for it, because their topics may be available when this one is not. The commands of a caller stay in order
 * within a domain.
 */
export function withWelcome(domains: Domain[], submit: Submit, logger: Logger): Submit {
  const welcomes = [...commandTypes(domains).values()].filter(({ command }) => command.welcome)
  /** The welcome of each recent caller. The promise stays after it has settled, because commands that wait on it keep their order. */
  const welcomed = new BoundedMap<Promise<void>>(MAX_CALLERS)

  const welcomesFor = ({ domain: { name } }: KnownType, { id, scopes }: Caller): KnownType[] =>
    id === ANONYMOUS
      ? []
      : welcomes.filter(
          ({ domain, command: { scope } }) => domain.name === name && (scope === undefined || scopes.has(scope)),
        )

  async function submitAll(types: KnownType[], caller: Caller, { trace, arrived, signal }: Submission): Promise<void> {
    const { name, email } = caller
    const given = { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) }
    for (const known of types) {
      const { data, success } = known.command.data.safeParse(given)
      if (success) await submit(known, data, caller, { headers: {}, trace, arrived, signal, key: known.type })
    }
  }

  /** Resolves when the caller's own command may be submitted. */
  function welcome(key: string, types: KnownType[], caller: Caller, submission: Submission): Promise<void> {
    const done = submitAll(types, caller, submission).catch((error) => {
      // The caller was welcomed before, with a token that said something else.
      if (error instanceof Problem && error.members.reusedKey) return
      welcomed.delete(key, done)
      if (!(error instanceof Problem)) throw error
      // The caller's own command is not tried: it would wait as long again, with the same result.
      if (error.status === 503) throw nothingDone({ cause: error })
      logger.warn({ trace: submission.trace.traceId, err: error }, 'a welcome command was refused')
    })
    return done
  }

  return function submitWelcomed(known, data, caller, submission) {
    const types = welcomesFor(known, caller)
    if (types.length === 0) return submit(known, data, caller, submission)
    const key = `${known.domain.name} ${caller.id}`
    const ready = welcomed.get(key) ?? welcome(key, types, caller, submission)
    welcomed.set(key, ready)
    return ready.then(() => submit(known, data, caller, submission))
  }
}
