import { given } from 'millrace/testing'
import { test } from 'vitest'
import bookings from '../../examples/2-bookings/domain.ts'

const blue = { room: 'blue', day: '2100-01-01' }
const booked = { type: 'bookings.booked', stream: 'room/blue', data: blue, actor: 'ada' } as const
const cancel = { type: 'bookings.cancel', data: blue, actor: 'ada' } as const

test('whoever booked a room may cancel', async () => {
  await given(bookings, booked)
    .when(cancel)
    .thenExpect({
      events: [{ type: 'bookings.cancelled', data: blue }],
      documents: { bookings: { 'blue:2100-01-01': null } },
    })
})

test('nobody else may', async () => {
  await given(bookings, booked)
    .when({ ...cancel, actor: 'bob' })
    .thenExpect({ rejected: 'only its owner or an administrator may cancel a booking' })
})
