import { expect, test } from 'vitest'
import { given } from '#test/given.ts'
import domain, { MANAGE, WRITE } from './domain.ts'

const blue = { room: 'blue', day: '2100-01-01' }
const person = (actor: string, ...scopes: string[]) => ({
  book: (data = blue) => ({ type: 'bookings.book', data, actor, scopes }),
  cancel: (data = blue) => ({ type: 'bookings.cancel', data, actor, scopes }),
})
const ada = person('ada', WRITE)
const bob = person('bob', WRITE)
const root = person('root', WRITE, MANAGE)

test('given a free room, when it is booked, then it has a booking', async () => {
  const { events, document } = await given(domain).when(ada.book())
  expect(events).toEqual([{ type: 'bookings.booked', data: blue }])
  expect(document('bookings', 'blue:2100-01-01')).toMatchObject({ ...blue, by: 'ada' })
})

test.each([
  ['another day', { ...blue, day: '2100-01-02' }],
  ['another room', { ...blue, room: 'red' }],
])('given a booking, when %s is booked, then both exist', async (_, data) => {
  const { document } = await given(domain, ada.book()).when(bob.book(data))
  expect(document('bookings', 'blue:2100-01-01')).toMatchObject({ by: 'ada' })
  expect(document('bookings', `${data.room}:${data.day}`)).toMatchObject({ by: 'bob' })
})

test('given a booking, when it is cancelled, then the room can be booked again', async () => {
  const cancelled = await given(domain, ada.book()).when(ada.cancel())
  expect(cancelled.document('bookings', 'blue:2100-01-01')).toBeUndefined()
  const again = await given(domain, ada.book(), ada.cancel()).when(bob.book())
  expect(again.document('bookings', 'blue:2100-01-01')).toMatchObject({ by: 'bob' })
})

test('given a booking, when an administrator cancels it, then it is removed', async () => {
  expect((await given(domain, ada.book()).when(root.cancel())).events).toHaveLength(1)
})

test.each([
  ['booking a booked day', [ada.book()], bob.book(), 'the room is booked on that day'],
  ['booking it again', [ada.book()], ada.book(), 'the room is booked on that day'],
  ['booking a past day', [], ada.book({ ...blue, day: '2029-12-31' }), 'the day is in the past'],
  ['cancelling nothing', [], ada.cancel(), 'there is no such booking'],
  [
    'cancelling the booking of another',
    [ada.book()],
    bob.cancel(),
    'only its owner or an administrator may cancel a booking',
  ],
])('%s is rejected', async (_, history, command, reason) => {
  expect((await given(domain, ...history).when(command)).rejected).toBe(reason)
})
