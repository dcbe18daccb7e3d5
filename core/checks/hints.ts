/** Names as a sentence lists them. */
export const quoted = (names: Iterable<string>): string =>
  [...names].map((name) => JSON.stringify(name)).join(', ') || 'none'

/** The end of a sentence about a wrong name: the name that was probably meant, or all that exist. */
export function hint(name: string, known: Iterable<string>): string {
  const names = [...known]
  const meant = nearest(name, names)
  if (meant !== undefined) return ` Did you mean ${JSON.stringify(meant)}?`
  return names.length > 0 ? ` Write ${names.length === 1 ? '' : 'one of '}${quoted(names)}.` : ''
}

/** The name that differs least, by one edit, or by two in a name of six characters or more. Case does not count. */
export function nearest(name: string, known: string[]): string | undefined {
  const [best] = known
    .map((other) => ({ other, edits: editsBetween(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ other, edits }) => edits <= (Math.min(name.length, other.length) < 6 ? 1 : 2))
    .sort((one, two) => one.edits - two.edits)
  return best?.other
}

/** The number of characters to insert, remove or replace to turn one text into the other. A swap of neighbours counts once. */
function editsBetween(one: string, other: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1]
      const isSwap = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwap ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = current
  }
  return last[other.length] ?? 0
}
