import { expect, test } from 'vitest'
import { wordsOf } from './words.ts'

test.each([
  ['Payment failed: card 4711 DECLINED, card!', ['payment', 'failed', 'card', '4711', 'declined']],
  ['Grüße aus Ελλάδα и Москва', ['grüße', 'aus', 'ελλάδα', 'и', 'москва']],
  ['e\u0301te\u0301', ['été']],
  ['... --- ...', []],
  ['', []],
])('%s', (text, words) => {
  expect(wordsOf(text)).toEqual(words)
})

test('no more than 64 words, or as many as are asked for, and no more than 32 characters of each', () => {
  const many = Array.from({ length: 100 }, (_, n) => `w${n}`).join(' ')
  expect(wordsOf(many)).toHaveLength(64)
  expect(wordsOf(many, 99)).toHaveLength(99)
  expect([...(wordsOf('𐐨'.repeat(40))[0] ?? '')]).toHaveLength(32)
  expect(wordsOf('x'.repeat(100))).toEqual(['x'.repeat(32)])
})
