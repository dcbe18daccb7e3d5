import { expect, test } from 'vitest'
import { contains, folded, rarestTrigramOf, trigramsOf, wordsOf } from './words.ts'

test.each([
  ['Payment failed: card 4711 DECLINED, card!', ['payment', 'failed', 'card', '4711', 'declined']],
  ['Grüße aus Ελλάδα и Москва', ['grüße', 'aus', 'ελλάδα', 'и', 'москва']],
  ['e\u0301te\u0301', ['été']],
  ['... --- ...', []],
  ['', []],
])('the words of %j are %j', (text, words) => {
  expect(wordsOf(text)).toEqual(words)
})

test('a text has at most 64 words, or `max`, and each has at most 32 characters', () => {
  const many = Array.from({ length: 100 }, (_, n) => `w${n}`).join(' ')
  expect(wordsOf(many)).toHaveLength(64)
  expect(wordsOf(many, 99)).toHaveLength(99)
  expect([...(wordsOf('𐐨'.repeat(40))[0] ?? '')]).toHaveLength(32)
  expect(wordsOf('x'.repeat(100))).toEqual(['x'.repeat(32)])
})

test.each([
  ['Giraffe', 'giraf', true],
  ['Giraffe', 'FFE', true],
  ['Giraffe', 'girafe', false],
  ['A red\n\tkettle', 'red kettle', true],
  ['C++ and C#', 'c++', true],
  ['Grüße', 'RÜß', true],
  ['e\u0301te\u0301', 'été', true],
  ['ΑΣΤΡΟ', 'ΑΣ', true],
  ['東京都庁', '京都庁', true],
])('%s contains %s: %s', (text, substring, is) => {
  expect(contains(text, substring)).toBe(is)
})

test('a text has every trigram of its substrings', () => {
  const text = folded(
    'The quick brown fox, jumps over THE lazy dog: 東京都庁 \u{10428}\u{10428}\u{10428}, n\u0303o\u0328\u0304n',
  )
  const trigrams = trigramsOf(text)
  const characters = [...text]
  for (let from = 0; from < characters.length; from++) {
    for (let to = from + 1; to <= characters.length; to++) {
      expect(trigrams).toEqual(expect.arrayContaining(trigramsOf(characters.slice(from, to).join(''))))
    }
  }
})

test.each([
  ['ab, cd', []],
  ['aaaa', ['aaa']],
  ['a red, red kettle', ['red', 'ket', 'ett', 'ttl', 'tle']],
  ['x'.repeat(100), ['xxx']],
])('the trigrams of %s are %j', (text, trigrams) => {
  expect(trigramsOf(text)).toEqual(trigrams)
})

test('the rarest trigram has the least frequent letters', () => {
  expect(rarestTrigramOf('The Jazz')).toBe('azz')
  expect(rarestTrigramOf('error 4711')).toBe('471')
})
