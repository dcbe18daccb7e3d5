export const sorted = (values: number[]): number[] => [...values].sort((a, b) => a - b)

export const percentile = (sorted: number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

export const median = (values: number[]): number => percentile(sorted(values), 0.5)
