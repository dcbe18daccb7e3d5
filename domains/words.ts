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
