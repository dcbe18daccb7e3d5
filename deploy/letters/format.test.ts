import { expect, test } from 'vitest'
import { ageOf, formatLetter, formatOutcome, formatTable } from './format.ts'
import type { Letter } from './letters-api.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const letter = (more: Partial<Letter> = {}): Letter => ({
  id: 'r-1',
  at: '2026-11-21T11:57:00.000Z',
  domain: 'sums',
  type: 'sums.add',
  stream: 'sum/42',
  error: 'bad luck',
  attempts: 4,
  record: { topic: 'summation', partition: 1, offset: 7 },
  event: { id: 'r-1', type: 'sums.add', data: '{"firstNumber":1}' },
  ...more,
})

test.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [7200, '2h'],
  [172_799, '47h'],
  [864_000, '10d'],
  [-5, '0s'],
])('%i s are %s', (seconds, age) => {
  expect(ageOf(new Date(NOW - seconds * 1000).toISOString(), NOW)).toBe(age)
})

test('a table has a line for each letter, whatever the letter contains', () => {
  const lines = formatTable(
    [letter(), letter({ id: 'r-22', domain: '', type: undefined, stream: '', error: 'two\nlines' })],
    NOW,
  )
  expect(lines).toEqual([
    'AGE  ATTEMPTS  DOMAIN  TYPE      STREAM  ID    ERROR',
    '3m   4         sums    sums.add  sum/42  r-1   bad luck',
    '3m   4         -       -         -       r-22  two lines',
  ])
})

const frames = ['domains/sums/decide.ts:12:7 pay', 'domains/sums/decide.ts:4:3 decide']

test('a table has the first frame of an error if the line then fits the terminal', () => {
  const [, whole = ''] = formatTable([letter({ frames })], NOW)
  expect(whole).toMatch(/ bad luck at domains\/sums\/decide\.ts:12:7 pay$/)
  expect(formatTable([letter({ frames })], NOW, whole.length)[1]).toBe(whole)
  expect(formatTable([letter({ frames })], NOW, whole.length - 1)[1]).toMatch(/ bad luck$/)
})

test('a letter shows its type and all frames, and an old one has neither', () => {
  const text = formatLetter(letter({ frames }), NOW).join('\n')
  expect(text).toContain('type      sums.add\n')
  expect(text).toContain(`error     bad luck\nat        ${frames[0]}\n          ${frames[1]}\nattempts  4\n`)
  const old = formatLetter(letter({ type: undefined }), NOW).join('\n')
  expect(old).toContain('type      unknown\n')
  expect(old).toContain('error     bad luck\nattempts  4\n')
})

test('a letter shows its event, with JSON data as JSON', () => {
  const text = formatLetter(letter(), NOW).join('\n')
  expect(text).toContain('record    summation, partition 1, offset 7')
  expect(text).toContain('kept      2026-11-21T11:57:00.000Z, 3m ago')
  expect(text).toContain('"firstNumber": 1')
  for (const data of ['bare', '9007199254740993']) {
    expect(formatLetter(letter({ event: { data } }), NOW).join('\n')).toContain(`"data": "${data}"`)
  }
})

test('text of a client reaches the terminal as plain text only', () => {
  const evil = '\u001b[2J\u009b1A\u202e'
  const bad = letter({ stream: evil, error: evil, frames: [evil], event: { data: evil } })
  for (const text of [formatTable([bad], NOW).join(''), formatLetter(bad, NOW).join('').replaceAll('\n', '')]) {
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  }
  expect(formatLetter(bad, NOW).join('\n')).toContain('\\u001b[2J\\u009b1A\\u202e')
})

test('a redrive reports the number of letters, the failed ones and the reasons', () => {
  expect(formatOutcome({ redriven: 3, failures: 0, failed: [] })).toEqual(['3 redriven, 0 parked again'])
  expect(formatOutcome({ redriven: 0, failures: 3, failed: [{ id: 'a', error: 'still', frames }] })).toEqual([
    '0 redriven, 3 parked again:',
    '  a  still at domains/sums/decide.ts:12:7 pay',
    '  and 2 more',
  ])
  expect(formatOutcome({ redriven: 0, failures: 0, failed: [] })[0]).toContain('no such letter')
})
