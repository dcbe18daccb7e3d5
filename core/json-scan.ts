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

export interface JsonScan {
  /** The deepest nesting. */
  depth: number
  /** The number of members of all objects together, duplicates included. */
  members: number
  /** True when a number may be too large, too long or too small to be exact. Ordinary decimals do not count. */
  hasUnusualNumber: boolean
}

/** Scans JSON text without parsing it, since parsing may already cost too much. The result for malformed text is meaningless. */
export function scanJson(text: string): JsonScan {
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
