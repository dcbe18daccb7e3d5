import { Problem, RETRY_SOON } from '#core/problem.ts'

export const logUnavailable = (
  detail: string,
  options: ErrorOptions & { members?: Record<string, unknown> } = {},
): Problem => new Problem(503, 'Log unavailable', detail, { ...options, headers: RETRY_SOON })

/** The problem for a command that is certainly not in the log. */
export const nothingDone = (options: ErrorOptions & { members?: Record<string, unknown> }): Problem =>
  logUnavailable('The log is unavailable. Nothing was done; repeat the command later.', options)
