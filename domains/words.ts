import type { Document } from './domain.ts'

const MOST = 64
const LONGEST = 32
const WORDS = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu

/**
 * The words of a text, each once and in lower case, by which it is searched for: letters and digits of any script, their
 * beginnings where they are longer than 32 characters, and no more than `most` of them.
 */
export function wordsOf(text: string, most = MOST): string[] {
  const words = new Set<string>()
  for (const [word] of text.normalize('NFC').toLowerCase().matchAll(WORDS)) {
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

/** Text as substrings of it are compared: composed, in lower case, with one space for each run of white space. */
export const folded = (text: string): string =>
  text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .replaceAll(/[\s\0]+/gu, ' ')

/**
 * Three letters or digits next to each other in a folded text, each three once: those of a substring are among those of the text.
 * Without those that reach across words there are half as many.
 */
export function trigramsOf(folded: string): string[] {
  const words = [...folded.matchAll(WORDS)].map(([word]) => [...word])
  return [...new Set(words.flatMap((word) => word.slice(2).map((_, at) => word.slice(at, at + 3).join(''))))]
}

/** From the most to the least frequent in English. Any other character counts as rarer. */
const FREQUENT = [...'etaoinshrdlcumwfgypbvkjxqz']

function rarityOf(trigram: string): number {
  const ranks = [...trigram].map((character) => FREQUENT.indexOf(character))
  return ranks.reduce((sum, rank) => sum + (rank < 0 ? FREQUENT.length : rank), 0)
}

/** The trigram that is likely the rarest: an index finds the texts that have it, and those that have all of the substring are kept. */
export const rarestTrigramOf = (substring: unknown): string =>
  trigramsOf(folded(String(substring))).reduce(
    (rarest, trigram) => (rarest === '' || rarityOf(trigram) > rarityOf(rarest) ? trigram : rarest),
    '',
  )

/** True where there is no substring to look for. */
export const contains = (text: string, substring: unknown): boolean =>
  substring === undefined || folded(text).includes(folded(String(substring)))
