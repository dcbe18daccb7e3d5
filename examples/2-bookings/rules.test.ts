import { type CommandTo, given } from 'millrace/testing'
import { test } from 'vitest'
import domain, { MANAGE, WRITE } from './domain.ts'

const blue = { room: 'blue', day: '2100-01-01' }
const BLUE = 'blue:2100-01-01'
const person = (actor: string, ...scopes: string[]) => ({
  book: (data = blue): CommandTo<typeof domain> => ({ type: 'bookings.book', data, actor, scopes }),
  cancel: (data = blue): CommandTo<typeof domain> => ({ type: 'bookings.cancel', data, actor, scopes }),
})
const ada = person('ada', WRITE)
const bob = person('bob', WRITE)
const root = person('root', WRITE, MANAGE)
/** The booking as an event that happened. */
const booked = { type: 'bookings.booked', stream: 'room/blue', data: blue, actor: 'ada' } as const

test('given a free room, when it is booked, then it has a booking', async () => {
  await given(domain)
    .when(ada.book())
    .thenExpect({
      events: [{ type: 'bookings.booked', data: blue }],
      documents: { bookings: { [BLUE]: { ...blue, by: 'ada' } } },
    })
})

test.each([
  ['another day', { ...blue, day: '2100-01-02' }],
  ['another room', { ...blue, room: 'red' }],
])('given a booking, when %s is booked, then both exist', async (_, data) => {
  const both = { [BLUE]: { by: 'ada' }, [`${data.room}:${data.day}`]: { by: 'bob' } }
  await given(domain, booked)
    .when(bob.book(data))
    .thenExpect({ documents: { bookings: both } })
})

test('given a booking, when it is cancelled, then the room can be booked again', async () => {
  await given(domain, booked)
    .when(ada.cancel())
    .thenExpect({ documents: { bookings: { [BLUE]: null } } })
  await given(domain, booked, ada.cancel())
    .when(bob.book())
    .thenExpect({ documents: { bookings: { [BLUE]: { by: 'bob' } } } })
})

test('given a booking, when an administrator cancels it, then it is removed', async () => {
  await given(domain, booked)
    .when(root.cancel())
    .thenExpect({ events: [{ type: 'bookings.cancelled', data: blue }] })
})

test.each([
  ['booking a booked day', [booked], bob.book(), 'the room is booked on that day'],
  ['booking it again', [booked], ada.book(), 'the room is booked on that day'],
  ['booking a past day', [], ada.book({ ...blue, day: '2029-12-31' }), 'the day is in the past'],
  ['cancelling nothing', [], ada.cancel(), 'there is no such booking'],
  [
    'cancelling the booking of another',
    [booked],
    bob.cancel(),
    'only its owner or an administrator may cancel a booking',
  ],
])('%s is rejected', async (_, facts, command, rejected) => {
  await given(domain, ...facts)
    .when(command)
    .thenExpect({ rejected })
})
