import { Problem } from './problem.ts'

const QUOTE = codeOf('"')
const BACKSLASH = codeOf('\\')
const POINT = codeOf('.')
const COLON = codeOf(':')
const [ZERO, NINE] = [codeOf('0'), codeOf('9')]
const [SMALL_E, LARGE_E] = [codeOf('e'), codeOf('E')]
const [OPEN_LIST, CLOSE_LIST] = [codeOf('['), codeOf(']')]
const [OPEN_OBJECT, CLOSE_OBJECT] = [codeOf('{'), codeOf('}')]

/** Integers with fewer digits are exact as numbers. */
const LONG_INTEGER = 16
/** Numbers with fewer digits after the point do not become 0. */
const LONG_FRACTION = 300

interface JsonScan {
  /** The deepest nesting. */
  depth: number
  /** The number of members of all objects together, duplicates included. */
  members: number
  /** True when a number may be too large, too long or too small to be exact. Ordinary decimals do not count. */
  hasUnusualNumber: boolean
}

/** Scans JSON text without parsing it, since parsing may already cost too much. The result for malformed text is meaningless. */
function scanJson(text: string): JsonScan {
  const scan = { depth: 0, members: 0, hasUnusualNumber: false }
  let depth = 0
  let digits = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isDigit(code)) {
      if (++digits === LONG_INTEGER) scan.hasUnusualNumber = true
    } else if (code === POINT) digits = LONG_INTEGER - 1 - LONG_FRACTION
    else if (code === SMALL_E || code === LARGE_E) {
      if (isDigit(text.charCodeAt(at - 1))) scan.hasUnusualNumber = true
    } else {
      digits = 0
      if (code === QUOTE) at = endOfString(text, at)
      else if (code === COLON) scan.members++
      else if (code === OPEN_LIST || code === OPEN_OBJECT) scan.depth = Math.max(scan.depth, ++depth)
      else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--
    }
  }
  return scan
}

/** The index of the quote that closes the string at `opening`, or the length of the text. */
export function endOfString(text: string, opening: number): number {
  for (let from = opening + 1; ; ) {
    const quote = text.indexOf('"', from)
    if (quote < 0) return text.length
    let before = quote
    while (text.charCodeAt(before - 1) === BACKSLASH) before--
    if ((quote - before) % 2 === 0) return quote
    from = quote + 1
  }
}

/** True when JSON has more than `most` nested levels. */
export const isDeeper = (text: string, most: number): boolean => text.length > most && scanJson(text).depth > most

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE
}

function codeOf(character: string): number {
  return character.charCodeAt(0)
}

/** Many more levels than a command needs, and many fewer than JSON.stringify can write. */
const MAX_DEPTH = 100
/** An escaped surrogate. JSON.stringify writes one only if its other half is missing, and no store can keep that. */
const SURROGATE = /\\u[dD][89a-fA-F]/
/** Code that copies objects drops a member with this name. */
export const FORBIDDEN_NAME = '__proto__'

export interface ParsedJson {
  value: unknown
  /** False when JSON.parse has changed or dropped a part of the text. */
  isExact: boolean
}

/** Parses JSON that a client has sent. Throws 400 for text that is not JSON. */
export function parseJson(text: string): ParsedJson {
  const { depth, members, hasUnusualNumber } = scanJson(text)
  if (depth > MAX_DEPTH) throw new Problem(400, 'Malformed body', `The JSON has more than ${MAX_DEPTH} nested levels.`)
  const value = parseText(text)
  return { value, isExact: !hasUnusualNumber && countMembers(value) === members }
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

/** The number of members in all objects of a value, without those of the forbidden name. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countMembers(item)
    return count
  }
  for (const name in value) {
    if (name !== FORBIDDEN_NAME) count++
    count += countMembers((value as Record<string, unknown>)[name])
  }
  return count
}
