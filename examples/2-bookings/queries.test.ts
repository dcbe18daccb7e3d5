import { given } from 'millrace/testing'
import { test } from 'vitest'
import domain from './domain.ts'

const booked = (day: string, actor: string) =>
  ({ type: 'bookings.booked', stream: 'room/blue', data: { room: 'blue', day }, actor }) as const
const bookings = given(domain, booked('2100-01-01', 'ada'), booked('2100-01-02', 'bob'), booked('2100-01-03', 'ada'))
const on = (day: string) => ({ room: 'blue', day })
const [first, second, third] = [on('2100-01-01'), on('2100-01-02'), on('2100-01-03')]
const by = (id: string) => ({ caller: { id } })

test('everybody with the role reads the bookings of a room', async () => {
  await bookings.thenQuery(
    'list',
    { room: 'blue' },
    { items: [{ by: 'ada' }, { by: 'bob' }, { by: 'ada' }] },
    by('eve'),
  )
  await bookings.thenQuery('list', { room: 'blue' }, { problem: 403 }, { caller: { id: 'eve', scopes: [] } })
})

test("the caller's own bookings are those of nobody else, within the asked days", async () => {
  await bookings.thenQuery('mine', {}, { items: [first, third], next: null }, by('ada'))
  await bookings.thenQuery('/api/bookings/mine?from=2100-01-02', { items: [third], next: null }, by('ada'))
  await bookings.thenQuery('mine', {}, { items: [second], next: null }, by('bob'))
  await bookings.thenQuery('mine', {}, { items: [], next: null }, by('eve'))
})

test('whoever follows a room gets its new events', async () => {
  const cancel = { type: 'bookings.cancel', data: { room: 'blue', day: '2100-01-02' }, actor: 'bob' } as const
  const cancelled = { type: 'bookings.cancelled', day: '2100-01-02', by: 'bob' }
  await bookings.when(cancel).thenQuery('live', { room: 'blue' }, [cancelled])
  await bookings.when(cancel).thenQuery('live', { room: 'red' }, [])
})
