import type { CallerOf } from '#core/access.ts'
import { anybody } from '../auth/anybody.ts'

const MEMBER = ['forum:read', 'forum:write', 'tutorials:write', 'sums:write', 'logs:write', 'logs:all']

/** The scopes of the callers with a token, which is their name. Anonymous callers have every scope but no name. */
const PEOPLE = {
  ada: MEMBER,
  bob: MEMBER,
  eve: MEMBER,
  root: [...MEMBER, 'forum:administrate'],
}

export type Person = keyof typeof PEOPLE

export const callerOf: CallerOf = async (headers) => {
  const id = headers.authorization?.replace('Bearer ', '')
  return id === undefined ? await anybody(headers) : { id, name: id, scopes: new Set(PEOPLE[id as Person]) }
}
