import { given } from 'millrace/testing'
import { test } from 'vitest'
import bookings from '../../examples/2-bookings/domain.ts'

const data = { room: 'blue', day: '2100-01-01' }
const booked = { type: 'bookings.booked', stream: 'room/blue', data, actor: 'ada' } as const
const cancel = { type: 'bookings.cancel', data, actor: 'ada' } as const

test('a list has the bookings of its caller', async () => {
  const room = given(bookings, booked)
  await room.thenQuery('mine', {}, { items: [data] }, { caller: { id: 'ada' } })
  await room.thenQuery('/api/bookings/mine?from=2100-01-02', { items: [] }, { caller: { id: 'ada' } })
  await room.thenQuery('mine', {}, { problem: 403 }, { caller: { id: 'eve', scopes: [] } })
})

test('whoever follows a room sees a cancellation', async () => {
  await given(bookings, booked)
    .when(cancel)
    .thenQuery('live', { room: 'blue' }, [{ type: 'bookings.cancelled', by: 'ada' }])
})
