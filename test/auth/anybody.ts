import type { CallerOf } from '#core/caller.ts'

class Every extends Set<string> {
  override has = () => true
}

/** For tests that are about something else: who brings no token may do everything. */
export const anybody: CallerOf = async () => ({ id: 'anonymous', scopes: new Every() })
