import { isDeepStrictEqual } from 'node:util'

/** A difference between an expected and an actual value, with the words for it and both values. */
export interface Difference {
  text: string
  actual: unknown
  expected: unknown
}

/**
 * The first difference between a value and the members of it that are expected, as "expected ... of the document 1 to be 2, but it is 3".
 * Lists have the same length. A bigint equals a number of its value.
 */
export function differenceIn(subject: string, actual: unknown, expected: unknown): Difference | undefined {
  const wanted = plain(expected)
  const whole = chosen(plain(actual), wanted)
  if (isDeepStrictEqual(whole, wanted)) return undefined
  return { text: `expected ${sentence(subject, [], whole, wanted)}`, actual: whole, expected: wanted }
}

/** The path of the first member of a value that the expected one does not have. */
export function extraIn(actual: unknown, expected: unknown, path: string[] = []): string | undefined {
  if (typeof actual !== 'object' || actual === null) return undefined
  for (const [name, member] of Object.entries(actual)) {
    const wanted = (expected as Members)[name]
    const inner = [...path, name]
    const found = wanted === undefined ? inner.join('.') : extraIn(member, wanted, inner)
    if (found !== undefined) return found
  }
  return undefined
}

type Members = { [name: string]: unknown }

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value with numbers instead of the bigints that a number holds. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isMembers(value)) return typeof value === 'bigint' && isSafe(value) ? Number(value) : value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

const isSafe = (value: bigint): boolean => Number.isSafeInteger(Number(value))

/** The members of the actual value that the expected one has. A member that is not there is undefined. */
function chosen(actual: unknown, expected: unknown): unknown {
  if (Array.isArray(actual) && Array.isArray(expected))
    return actual.map((item, at) => (at < expected.length ? chosen(item, expected[at]) : item))
  if (!isMembers(actual) || !isMembers(expected)) return actual
  return Object.fromEntries(Object.keys(expected).map((name) => [name, chosen(actual[name], expected[name])]))
}

function sentence(subject: string, path: string[], actual: unknown, expected: unknown): string {
  if (Array.isArray(actual) && Array.isArray(expected)) {
    if (actual.length !== expected.length) {
      return `${placeOf(subject, path)} to have ${counted(expected.length)}, but it has ${counted(actual.length)}`
    }
    const at = actual.findIndex((item, index) => !isDeepStrictEqual(item, expected[index]))
    return sentence(subject, [...path, String(at)], actual[at], expected[at])
  }
  if (isMembers(actual) && isMembers(expected)) {
    const name = Object.keys(expected).find((name) => !isDeepStrictEqual(actual[name], expected[name])) as string
    return sentence(subject, [...path, name], actual[name], expected[name])
  }
  const found = actual === undefined ? 'there is none' : `it is ${shown(actual)}`
  return `${placeOf(subject, path)} to be ${shown(expected)}, but ${found}`
}

const placeOf = (subject: string, path: string[]): string =>
  path.length === 0 ? subject : `${path.join('.')} of ${subject}`

const counted = (count: number): string => `${count} ${count === 1 ? 'item' : 'items'}`

const MAX_SHOWN = 80

function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text
}
