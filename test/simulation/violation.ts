/** The conditions that hold after every history. */
export const INVARIANTS = {
  drained: 'after all faults everything is delivered and acknowledged',
  redriven: 'after all flaws are mended no letter is left that can be redriven',
  outcome: 'every record of the log has exactly one outcome, and nothing else has one',
  once: 'a command takes effect once, and only one of several commands with one id does',
  fold: 'documents and totals are the fold of the events',
  order: 'a stream is the result of its commands in the order of the log',
  threads: 'counts, scores and moderators of a thread match its documents, and no moderator is banned',
  sealed: 'a record that publish has not sealed is anonymous, and parks no stream',
  parked: 'a command without a fault of its own is parked behind others only',
  acknowledged: 'acknowledged commands are in the log, refused ones are not, and ambiguous ones are there at most once',
  reported: 'an outcome that a client received does not change',
  reads: 'a read after a receipt shows the effect of its command',
} as const

export class Violation extends Error {
  override name = 'Violation'
  readonly invariant: keyof typeof INVARIANTS

  constructor(invariant: keyof typeof INVARIANTS, detail: string) {
    super(`${invariant} (${INVARIANTS[invariant]}): ${detail}`)
    this.invariant = invariant
  }
}
