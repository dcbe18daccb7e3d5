import { toFieldErrors } from '#core/field-errors.ts'
import { scanJson } from '#core/json-scan.ts'
import { Problem } from '#core/problem.ts'
import { countMembers, type Flaw, flawsIn, MAX_FLAWS } from './exact-json.ts'

/** Much more than a command needs, much less than JSON.stringify can write. */
const DEEPEST = 100

/** An escaped surrogate. JSON.stringify writes one only where its other half is missing: no store keeps that. */
const SURROGATE = /\\u[dD][89a-fA-F]/

export interface Parsed {
  value: unknown
  /** The parts of the value that are not as they are written. */
  flaws(): Flaw[]
}

/** Throws 400 for text that is not JSON, and for JSON that can't be kept as it is written, field by field. */
export function parseJson(text: string): unknown {
  const { value, flaws } = parseWithFlaws(text)
  refuse(flaws())
  return value
}

/** Throws 400 for text that is not JSON. */
export function parseWithFlaws(text: string): Parsed {
  const { depth, members, hasUnusualNumber } = scanJson(text)
  if (depth > DEEPEST) throw new Problem(400, 'Malformed body', `JSON is nested ${DEEPEST} times at most.`)
  const value = jsonOf(text)
  return { value, flaws: () => (hasUnusualNumber || countMembers(value) !== members ? flawsIn(text) : []) }
}

/** A function that throws 400 for an item with flaws. Throws at once when there are more flaws than were looked for. */
export function itemCheck(flaws: Flaw[]): (index: number) => void {
  if (flaws.length === MAX_FLAWS) refuse(flaws)
  const byItem = Map.groupBy(flaws, ({ path }) => path[0])
  return (index) => refuse((byItem.get(index) ?? []).map(({ path, message }) => ({ path: path.slice(1), message })))
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    if (SURROGATE.test(text) && SURROGATE.test(JSON.stringify(value))) throw new Error('half a surrogate pair')
    return value
  } catch (cause) {
    const detail = `The body is not JSON that can be kept: ${(cause as Error).message}`
    throw new Problem(400, 'Malformed body', detail, { cause })
  }
}

function refuse(flaws: Flaw[]): void {
  if (flaws.length === 0) return
  const { errors, detail } = toFieldErrors({ issues: flaws })
  throw new Problem(400, 'Malformed body', detail, { members: { errors } })
}
