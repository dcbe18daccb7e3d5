const MAX_WORDS = 64
const MAX_LENGTH = 32
const WORDS = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu

/**
 * The words by which a text is found: its runs of letters and digits in any script, each once, in lower case, cut at 32
 * characters, and at most `max` of them.
 */
export function wordsOf(text: string, max = MAX_WORDS): string[] {
  const words = new Set<string>()
  for (const [word] of text.normalize('NFC').toLowerCase().matchAll(WORDS)) {
    words.add([...word].slice(0, MAX_LENGTH).join(''))
    if (words.size === max) break
  }
  return [...words]
}

/** The longest word, which is likely the rarest. An index finds the texts with it, and `hasWords` checks for the others. */
export const rarestOf = (searched: string): string =>
  wordsOf(searched).reduce((longest, word) => (word.length > longest.length ? word : longest), '')

export const hasWords = ({ words }: { words: readonly string[] }, searched: string | undefined): boolean =>
  searched === undefined || wordsOf(searched).every((word) => words.includes(word))

/** A text in the form in which substrings are compared: composed, in lower case, with one space for each run of white space. */
export const folded = (text: string): string =>
  text
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .replaceAll(/[\s\0]+/gu, ' ')

/**
 * The runs of three letters or digits within the words of a folded text, each once. A text has all trigrams of its substrings.
 * Trigrams across words would double their number.
 */
export function trigramsOf(folded: string): string[] {
  const words = [...folded.matchAll(WORDS)].map(([word]) => [...word])
  return [...new Set(words.flatMap((word) => word.slice(2).map((_, at) => word.slice(at, at + 3).join(''))))]
}

/** The letters from the most to the least frequent in English. Any other character counts as rarer. */
const FREQUENT = [...'etaoinshrdlcumwfgypbvkjxqz']

function rarityOf(trigram: string): number {
  const ranks = [...trigram].map((character) => FREQUENT.indexOf(character))
  return ranks.reduce((sum, rank) => sum + (rank < 0 ? FREQUENT.length : rank), 0)
}

/** The trigram that is likely the rarest. An index finds the texts with it, and `contains` checks for the whole substring. */
export const rarestTrigramOf = (substring: string): string =>
  trigramsOf(folded(substring)).reduce(
    (rarest, trigram) => (rarest === '' || rarityOf(trigram) > rarityOf(rarest) ? trigram : rarest),
    '',
  )

/** True when the text contains the substring, or there is no substring to look for. */
export const contains = (text: string, substring: string | undefined): boolean =>
  substring === undefined || folded(text).includes(folded(substring))
