import type { Caller } from '#domains/domain.ts'
import type { Headers } from './request.ts'

/** Throws 401 for a token that is not good, also where none is needed; `Unavailable` at `deadline` at the latest. */
export type CallerOf = (headers: Pick<Headers, 'authorization'>, deadline?: number) => Promise<Caller>
