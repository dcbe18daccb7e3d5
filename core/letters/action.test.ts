import { expect, test } from 'vitest'
import sums from '#domains/sums/domain.ts'
import { actsOnLetters, isChosen, letterActionOf } from './action.ts'
import letters from './domain.ts'

test('only the commands of letters act on letters', () => {
  expect([letters, sums].map(actsOnLetters)).toEqual([true, false])
})

test('a command says which letters it redrives, or which one it discards and why', () => {
  expect(letterActionOf({ type: 'letters.redrive', data: { domain: 'sums' } })).toEqual({
    kind: 'redrive',
    chosen: { domain: 'sums' },
  })
  expect(letterActionOf({ type: 'letters.discard', data: { id: 'a', reason: 'never meant' } })).toEqual({
    kind: 'discard',
    letter: 'a',
    reason: 'never meant',
  })
})

const letter = { _id: 'a', domain: 'sums', stream: 'sum/1', error: 'division by zero', at: '2026-01-02T00:00:00.000Z' }

test.each([
  [{ domain: 'sums' }, true],
  [{ domain: 'forum' }, false],
  [{ stream: 'sum/1', domain: 'sums' }, true],
  [{ stream: 'sum/2' }, false],
  [{ error: 'by zero' }, true],
  [{ error: 'by one' }, false],
  [{ from: letter.at }, true],
  [{ to: letter.at }, false],
  [{ from: '2026-01-01T00:00:00.000Z', to: '2026-01-03T00:00:00.000Z' }, true],
])('a redrive of %j: chosen is %s', (chosen, is) => {
  expect(isChosen(letter, chosen)).toBe(is)
})

test('given a letter from before the horizon, then it is chosen by its id only', () => {
  const past = { ...letter, isPast: true }
  expect(isChosen(past, { domain: 'sums' })).toBe(false)
  expect(isChosen(past, { id: 'a' })).toBe(true)
})
