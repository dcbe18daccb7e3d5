import type { Document } from './domain.ts'

const MOST = 64
const LONGEST = 32

/**
 * The words of a text, each once and in lower case, by which it is searched for: letters and digits of any script, their
 * beginnings where they are longer than 32 characters, and no more than `most` of them.
 */
export function wordsOf(text: string, most = MOST): string[] {
  const words = new Set<string>()
  for (const [word] of text
    .normalize('NFC')
    .toLowerCase()
    .matchAll(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu)) {
    words.add([...word].slice(0, LONGEST).join(''))
    if (words.size === most) break
  }
  return [...words]
}

/** The longest is likely the rarest: an index finds it, and those that have the others are kept. */
export const rarestOf = (searched: unknown): string =>
  wordsOf(String(searched)).reduce((longest, word) => (word.length > longest.length ? word : longest), '')

export const hasWords = ({ words }: Document, searched: unknown): boolean =>
  searched === undefined || wordsOf(String(searched)).every((word) => (words as string[]).includes(word))
