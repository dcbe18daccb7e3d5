/** Counts what happened in the histories. A simulation in which an expected fault or outcome never occurs must fail. */
export interface Coverage {
  counts: Map<string, number>
  count<Value>(what: string, value?: Value): Value
}

export function newCoverage(): Coverage {
  const counts = new Map<string, number>()
  return {
    counts,
    count(what, value) {
      counts.set(what, (counts.get(what) ?? 0) + 1)
      return value as never
    },
  }
}
