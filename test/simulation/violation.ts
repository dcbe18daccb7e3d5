/** What must be so after every history. */
export const INVARIANTS = {
  drained: 'once all is well again, everything is delivered and answered',
  redriven: 'once all flaws are mended, no letter is left that can be redriven',
  outcome: 'every record of the log has exactly one outcome, and nothing else has one',
  once: 'a command takes effect once, and of those with one id only one does',
  fold: 'documents and totals are the fold of the events',
  order: 'a stream is what its commands make of it in the order of the log',
  threads: 'counts, scores and moderators of a thread are what its documents say, and no moderator is banned',
  sealed: 'what publish has not sealed is nobody in particular, and parks no stream',
  parked: 'a command without a fault of its own is parked behind others only',
  acknowledged: 'what was acknowledged is in the log, what was refused is not, and what was unknown is at most once',
  told: 'an outcome that a client was told stays',
  reads: 'a read after a receipt shows what its command did',
} as const

export class Violation extends Error {
  override name = 'Violation'
  readonly invariant: keyof typeof INVARIANTS

  constructor(invariant: keyof typeof INVARIANTS, detail: string) {
    super(`${invariant} (${INVARIANTS[invariant]}): ${detail}`)
    this.invariant = invariant
  }
}
