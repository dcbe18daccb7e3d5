import { expect, test } from 'vitest'
import type { Document } from '#domains/domain.ts'
import type { LiveQuery } from '#domains/query.ts'
import { listChange } from './live-list.ts'

const query: Pick<LiveQuery, 'keep' | 'shape'> = {
  keep: ({ owner }, _, { id }) => owner === id,
  shape: ({ _id, state }, { before }) => ({ id: _id, state: String(state), ...(before ? { was: before.state } : {}) }),
}
const asked = {
  params: {},
  caller: { id: 'ada', scopes: new Set<string>() },
  documents: { get: () => undefined },
}
const document = (owner: string, state: string, more = {}): Document => ({ _id: '1', owner, state, ...more })
const [placed, paid, bobs] = [document('ada', 'placed'), document('ada', 'paid'), document('bob', 'paid')]

test.each([
  ['a new document is inserted', undefined, placed, { kind: 'inserted', item: { id: '1', state: 'placed' } }],
  ['a document that enters is inserted', bobs, paid, { kind: 'inserted', item: { id: '1', state: 'paid' } }],
  [
    'a document that stays is changed',
    placed,
    paid,
    { kind: 'changed', item: { id: '1', state: 'paid', was: 'placed' } },
  ],
  ['a document that leaves is removed', placed, bobs, { kind: 'removed', item: { id: '1', state: 'placed' } }],
  ['a removed document is removed', placed, undefined, { kind: 'removed', item: { id: '1', state: 'placed' } }],
  ['a change beside the item is nothing', paid, document('ada', 'paid', { memo: 'secret' }), undefined],
  ['a new document of another is nothing', undefined, bobs, undefined],
  ['a change for another is nothing', bobs, document('bob', 'sent'), undefined],
  ['a removal for another is nothing', bobs, undefined, undefined],
])('%s', (_, before, after, expected) => {
  expect(listChange(query, { before, after }, asked)).toEqual(expected)
})

test('what shape leaves out is not on the list', () => {
  const shape: LiveQuery['shape'] = ({ state }) => (state === 'placed' ? { id: '1' } : undefined)
  expect(listChange({ ...query, shape }, { before: placed, after: paid }, asked)).toMatchObject({ kind: 'removed' })
  expect(listChange({ ...query, shape }, { before: paid, after: placed }, asked)).toMatchObject({ kind: 'inserted' })
  expect(listChange({ ...query, shape }, { before: undefined, after: paid }, asked)).toBeUndefined()
})

test('neither keep nor shape sees a document before that the caller had not', () => {
  const shape: LiveQuery['shape'] = (_, { before }) => {
    if (before?.owner === 'bob') throw new Error('it is told')
    return { id: '1' }
  }
  expect(listChange({ ...query, shape }, { before: bobs, after: paid }, asked)).toMatchObject({ kind: 'inserted' })
})
