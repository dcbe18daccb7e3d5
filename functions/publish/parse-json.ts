import { toFieldErrors } from '#core/field-errors.ts'
import { scanJson } from '#core/json-scan.ts'
import { Problem } from '#core/problem.ts'
import { countMembers, type Flaw, flawsIn, MAX_FLAWS } from './exact-json.ts'

/** Many more levels than a command needs, and many fewer than JSON.stringify can write. */
const MAX_DEPTH = 100

/** An escaped surrogate. JSON.stringify writes one only if its other half is missing, and no store can keep that. */
const SURROGATE = /\\u[dD][89a-fA-F]/

export interface ParsedJson {
  value: unknown
  /** The parts of the text that the value does not represent exactly. */
  flaws(): Flaw[]
}

/** Throws 400 for text that is not JSON, and for JSON that JSON.parse would change, with an error for each field. */
export function parseJson(text: string): unknown {
  const { value, flaws } = parseWithFlaws(text)
  assertExact(flaws())
  return value
}

/** Throws 400 for text that is not JSON. */
export function parseWithFlaws(text: string): ParsedJson {
  const { depth, members, hasUnusualNumber } = scanJson(text)
  if (depth > MAX_DEPTH) throw new Problem(400, 'Malformed body', `The JSON has more than ${MAX_DEPTH} nested levels.`)
  const value = parseText(text)
  return { value, flaws: () => (hasUnusualNumber || countMembers(value) !== members ? flawsIn(text) : []) }
}

/** Returns a function that throws 400 for an item with flaws. Throws at once if the search stopped at the maximum of flaws. */
export function itemCheck(flaws: Flaw[]): (index: number) => void {
  if (flaws.length === MAX_FLAWS) assertExact(flaws)
  const byItem = Map.groupBy(flaws, ({ path }) => path[0])
  return (index) =>
    assertExact((byItem.get(index) ?? []).map(({ path, message }) => ({ path: path.slice(1), message })))
}

function parseText(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    if (SURROGATE.test(text) && SURROGATE.test(JSON.stringify(value)))
      throw new Error('it contains half a surrogate pair')
    return value
  } catch (cause) {
    const detail = `The body is not valid JSON: ${(cause as Error).message}`
    throw new Problem(400, 'Malformed body', detail, { cause })
  }
}

function assertExact(flaws: Flaw[]): void {
  if (flaws.length === 0) return
  const { errors, detail } = toFieldErrors({ issues: flaws })
  throw new Problem(400, 'Malformed body', detail, { members: { errors } })
}
