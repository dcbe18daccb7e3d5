import { expect, test } from 'vitest'
import type { Document } from '#domains/domain.ts'
import { type Ledger, standingOf } from './ledger.ts'

const mine = { id: 'a', hash: 'mine' }
const of = (_id: string, hash: string): ReadonlyMap<string, Document> => new Map([[_id, { _id, hash }]])
const document = (_hash: string): ReadonlyMap<string, Document> => new Map([['a', { _id: 'a', _hash }]])

test.each<[string, Ledger, string]>([
  ['nothing', {}, 'new'],
  ['another id', { documents: new Map(), receipts: of('b', 'mine'), letters: of('b', 'mine') }, 'new'],
  ['a document of this body', { documents: document('mine') }, 'settled'],
  ['a document of another body', { documents: document('other') }, 'reused'],
  ['an outcome of this body', { receipts: of('a', 'mine') }, 'settled'],
  ['an outcome of another body', { receipts: of('a', 'other') }, 'reused'],
  ['a letter of this body', { letters: of('a', 'mine') }, 'kept'],
  ['a letter of this body beside the first', { letters: of('a.mine', 'mine') }, 'kept'],
  ['a letter of another body', { letters: of('a', 'other') }, 'reused'],
  ['a letter of another body beside the first', { letters: of('a.other', 'other') }, 'new'],
  ['the end of a letter of this body', { receipts: of('a.mine', 'mine') }, 'settled'],
  ['the end of a letter of another body', { receipts: of('a.other', 'other') }, 'new'],
  [
    'a rejection of this body, and a letter of another one',
    { receipts: of('a.mine', 'mine'), letters: of('a', 'other') },
    'settled',
  ],
  [
    'an outcome of another body, and a letter of this one',
    { receipts: of('a', 'other'), letters: of('a', 'mine') },
    'reused',
  ],
])('given %s, then the command is %3$s', (_, ledger, kind) => {
  expect(standingOf(mine, ledger).kind).toBe(kind)
})

test('a command that is kept stands with its letter', () => {
  expect(standingOf(mine, { letters: of('a.mine', 'mine') })).toEqual({
    kind: 'kept',
    letter: { _id: 'a.mine', hash: 'mine' },
  })
})
