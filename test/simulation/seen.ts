/** What happened in a run, so that a simulation in which nothing happens can't pass for one in which nothing goes wrong. */
export interface Seen {
  counts: Map<string, number>
  count<Value>(what: string, value?: Value): Value
}

export function newSeen(): Seen {
  const counts = new Map<string, number>()
  return {
    counts,
    count(what, value) {
      counts.set(what, (counts.get(what) ?? 0) + 1)
      return value as never
    },
  }
}
