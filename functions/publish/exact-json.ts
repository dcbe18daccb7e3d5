import { endOfString } from '#core/json-scan.ts'

/** A part of a JSON text that JSON.parse would change or drop. */
export interface Flaw {
  path: (string | number)[]
  message: string
}

/** No member can have this name: code that copies objects drops it. */
const FORBIDDEN = '__proto__'
const INTEGER = /^-?\d+(\.0+)?$/
const MAX_SHOWN = 40
/** More than these are not looked for. */
export const MAX_FLAWS = 10_000

/** The number of members in all objects of a value, without those of the forbidden name. */
export function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countMembers(item)
    return count
  }
  for (const name in value) {
    if (name !== FORBIDDEN) count++
    count += countMembers((value as Record<string, unknown>)[name])
  }
  return count
}

/**
 * The numbers that do not come back as they are written, the members that occur twice, and those with the forbidden name.
 * `text` must be JSON that JSON.parse takes, nested less deep than the call stack allows.
 */
export function flawsIn(text: string): Flaw[] {
  const flaws: Flaw[] = []
  const path: Flaw['path'] = []
  let at = 0

  function add(message: string): void {
    flaws.push({ path: [...path], message })
    if (flaws.length === MAX_FLAWS) at = text.length
  }

  /** The next character that is not white space. */
  function next(): string {
    while (text.charCodeAt(at) <= 0x20) at++
    return text.charAt(at)
  }

  /** The next character when a list or an object goes on, behind its comma. */
  function more(end: string): string | undefined {
    let first = next()
    if (first === ',') {
      at++
      first = next()
    }
    if (first !== end && first !== '') return first
    at++
    return undefined
  }

  function members(): void {
    const names = new Set<string>()
    while (more('}')) {
      const end = endOfString(text, at) + 1
      const name: string = JSON.parse(text.slice(at, end))
      at = end
      path.push(name)
      if (names.has(name)) add('occurs twice')
      if (name === FORBIDDEN) add('is not allowed as a name')
      names.add(name)
      next()
      at++
      value(next())
      path.pop()
    }
  }

  function items(): void {
    let index = 0
    for (let first = more(']'); first; first = more(']')) {
      path.push(index++)
      value(first)
      path.pop()
    }
  }

  function value(first: string): void {
    if (first === '{' || first === '[') {
      at++
      if (first === '{') members()
      else items()
    } else if (first === '"') at = endOfString(text, at) + 1
    else {
      const begin = at
      while (at < text.length && !isBehindLiteral(text.charCodeAt(at))) at++
      const message = changeOf(text.slice(begin, at))
      if (message) add(message)
    }
  }

  value(next())
  return flaws
}

const [COMMA, CLOSE_LIST, CLOSE_OBJECT] = [0x2c, 0x5d, 0x7d]
const isBehindLiteral = (code: number): boolean =>
  code === COMMA || code === CLOSE_LIST || code === CLOSE_OBJECT || code <= 0x20

/**
 * The reason why a number would not come back as it is written, if there is one. An integer must keep its digits. A number with a
 * fraction or an exponent is the nearest double, as everywhere in JSON, unless that is infinite, or zero for a number that is not.
 */
function changeOf(literal: string): string | undefined {
  const number = Number(literal)
  if (Number.isNaN(number) || (Number.isSafeInteger(number) && number !== 0)) return undefined
  if (Number.isFinite(number) && number !== 0) {
    if (!INTEGER.test(literal) || String(number) === literal.replace(/\.0+$/, '')) return undefined
    return `${short(literal)} would come back as ${number}: send it as a string`
  }
  if (number !== 0) return `${short(literal)} is too large for a number`
  return /[1-9]/.test(literal.replace(/e.*/i, '')) ? `${short(literal)} is too small for a number` : undefined
}

const short = (literal: string): string => (literal.length > MAX_SHOWN ? `${literal.slice(0, MAX_SHOWN)}...` : literal)
