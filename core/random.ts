/** A number from 0 up to, but not including, 1: `Math.random`, or what a test brings instead. */
export type Random = () => number
