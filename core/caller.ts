import type { Caller } from '#domains/domain.ts'
import type { Headers } from './request.ts'

/** Identifies the caller. Throws 401 for an invalid token, even if none is required, and `Unavailable` at `deadline` at the latest. */
export type CallerOf = (headers: Pick<Headers, 'authorization'>, deadline?: number) => Promise<Caller>
