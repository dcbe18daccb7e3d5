import { toFieldErrors } from '#core/field-errors.ts'
import { endOfString, FORBIDDEN_NAME } from '#core/json.ts'
import { Problem } from '#core/problem.ts'

/** Returns a function that throws 400 for an item with flaws. Throws at once if the search stopped at the maximum of flaws. */
export function itemCheck(flaws: Flaw[]): (index: number) => void {
  if (flaws.length === MAX_FLAWS) assertExact(flaws)
  const byItem = Map.groupBy(flaws, ({ path }) => path[0])
  return (index) =>
    assertExact((byItem.get(index) ?? []).map(({ path, message }) => ({ path: path.slice(1), message })))
}

/** Throws 400 for a text with flaws, with an error for each field. */
export function assertExact(flaws: Flaw[]): void {
  if (flaws.length === 0) return
  const { errors, detail } = toFieldErrors({ issues: flaws })
  throw new Problem(400, 'Malformed body', detail, { members: { errors } })
}

/** A part of a JSON text that JSON.parse would change or drop. */
export interface Flaw {
  path: (string | number)[]
  message: string
}

const INTEGER = /^-?\d+(\.0+)?$/
const MAX_QUOTED = 40
/** The search for flaws stops at this number. */
const MAX_FLAWS = 10_000

/**
 * The numbers that JSON.parse would change, the members that occur twice, and those with the forbidden name. `text` must be JSON that
 * JSON.parse accepts, nested less deeply than the call stack allows.
 */
export const flawsIn = (text: string): Flaw[] => new FlawSearch(text).run()

class FlawSearch {
  readonly #text: string
  readonly #flaws: Flaw[] = []
  readonly #path: Flaw['path'] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  run(): Flaw[] {
    this.#value(this.#next())
    return this.#flaws
  }

  #add(message: string): void {
    this.#flaws.push({ path: [...this.#path], message })
    if (this.#flaws.length === MAX_FLAWS) this.#at = this.#text.length
  }

  /** The next character that is not white space. */
  #next(): string {
    while (this.#text.charCodeAt(this.#at) <= 0x20) this.#at++
    return this.#text.charAt(this.#at)
  }

  /** The first character of the next item or member, after its comma. Undefined after the last one. */
  #nextIn(end: string): string | undefined {
    let first = this.#next()
    if (first === ',') {
      this.#at++
      first = this.#next()
    }
    if (first !== end && first !== '') return first
    this.#at++
    return undefined
  }

  #members(): void {
    const names = new Set<string>()
    while (this.#nextIn('}')) {
      const end = endOfString(this.#text, this.#at) + 1
      const name: string = JSON.parse(this.#text.slice(this.#at, end))
      this.#at = end
      this.#path.push(name)
      if (names.has(name)) this.#add('occurs twice')
      if (name === FORBIDDEN_NAME) this.#add('is not allowed as a name')
      names.add(name)
      this.#next()
      this.#at++
      this.#value(this.#next())
      this.#path.pop()
    }
  }

  #items(): void {
    let index = 0
    for (let first = this.#nextIn(']'); first; first = this.#nextIn(']')) {
      this.#path.push(index++)
      this.#value(first)
      this.#path.pop()
    }
  }

  #value(first: string): void {
    if (first === '{' || first === '[') {
      this.#at++
      if (first === '{') this.#members()
      else this.#items()
    } else if (first === '"') this.#at = endOfString(this.#text, this.#at) + 1
    else {
      const begin = this.#at
      while (this.#at < this.#text.length && !isAfterLiteral(this.#text.charCodeAt(this.#at))) this.#at++
      const message = changeOf(this.#text.slice(begin, this.#at))
      if (message) this.#add(message)
    }
  }
}

const [COMMA, CLOSE_LIST, CLOSE_OBJECT] = [0x2c, 0x5d, 0x7d]
const isAfterLiteral = (code: number): boolean =>
  code === COMMA || code === CLOSE_LIST || code === CLOSE_OBJECT || code <= 0x20

/**
 * The way in which JSON.parse would change a number, or undefined. An integer must keep its digits. A number with a fraction or an
 * exponent is the nearest double, as everywhere in JSON, unless that is infinite, or zero for a number that is not zero.
 */
function changeOf(literal: string): string | undefined {
  const number = Number(literal)
  if (Number.isNaN(number) || (Number.isSafeInteger(number) && number !== 0)) return undefined
  if (Number.isFinite(number) && number !== 0) {
    if (!INTEGER.test(literal) || String(number) === literal.replace(/\.0+$/, '')) return undefined
    return `${short(literal)} would become ${number}: send it as a string`
  }
  if (number !== 0) return `${short(literal)} is too large for a number`
  return /[1-9]/.test(literal.replace(/e.*/i, '')) ? `${short(literal)} is too small for a number` : undefined
}

const short = (literal: string): string =>
  literal.length > MAX_QUOTED ? `${literal.slice(0, MAX_QUOTED)}...` : literal
