import type { CallerOf } from '#core/access.ts'

class Every extends Set<string> {
  override has = () => true
}

/** Gives anonymous callers every scope, for tests of other parts. */
export const anybody: CallerOf = async () => ({ id: 'anonymous', scopes: new Every() })
