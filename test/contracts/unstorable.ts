import type { Json } from '#domains/domain.ts'

const circular = (): Json => {
  const list: Json[] = []
  list.push(list)
  return list
}
const nested = (depth: number): Json => (depth === 0 ? 1 : [nested(depth - 1)])

/** Values that no store can keep, each made when it is needed. */
export const UNSTORABLE: [string, () => Json][] = [
  ['a circle', circular],
  ['5,000 levels', () => nested(5000)],
]
