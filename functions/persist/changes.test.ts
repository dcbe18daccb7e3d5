import { expect, test } from 'vitest'
import { changeIn, MAX_CHANGE_CHARACTERS } from '#core/changes.ts'
import type { Document, Event } from '#domains/domain.ts'
import { shop } from '#test/shop.ts'
import { changeRecords } from './changes.ts'

const event = { type: 'written', stream: 'order/1', number: 7 } as Event
const change = (before: Document | undefined, after: Document | undefined, collection = 'orders') => ({
  collection,
  before,
  after,
})
const [old, now] = [
  { _id: '1', state: 'placed' },
  { _id: '1', state: 'paid' },
]

test('each change of a followed collection is a record with the documents before and after, in the order of the changes', () => {
  const changed = [change(undefined, now), change(old, now), change(old, undefined)]
  const records = changeRecords(shop, changed, [event, { ...event, number: 8 }])
  expect(records.map(({ _id }) => _id)).toEqual(['shop:order/1#7.0', 'shop:order/1#7.1', 'shop:order/1#7.2'])
  expect(records.map(changeIn)).toEqual(changed)
})

test('a document that is written back equal, or was there for a moment of the batch only, has no record', () => {
  const same = [
    change(old, { ...old }),
    change(old, { ...old, more: undefined } as never),
    change(undefined, undefined),
  ]
  expect(changeRecords(shop, same, [event])).toEqual([])
})

test('a collection that no live query follows has no records, and a domain without live lists none', () => {
  expect(changeRecords(shop, [change(old, now, 'drafts')], [event])).toEqual([])
  const queries = shop.queries.filter((query) => 'of' in query && query.of === 'events')
  expect(changeRecords({ ...shop, queries }, [change(old, now)], [event])).toEqual([])
})

test('documents that are too large together are left out, and deeply nested ones are not', () => {
  const text = (length: number) => 'x'.repeat(length)
  const half = MAX_CHANGE_CHARACTERS / 2
  const frame = JSON.stringify({ _id: '1', text: '' }).length
  const fitting = change({ _id: '1', text: text(half - frame) }, { _id: '1', text: `${text(half - frame - 1)}y` })
  const large = change(fitting.before, { _id: '1', text: text(half - frame + 1) })
  const nested = change(undefined, { _id: '1', in: JSON.parse('['.repeat(99) + ']'.repeat(99)) })
  const [first, second, third] = changeRecords(shop, [fitting, large, nested], [event]).map(changeIn)
  expect(first).toEqual(fitting)
  expect(second).toEqual(change(undefined, undefined))
  expect(third).toEqual(nested)
})
