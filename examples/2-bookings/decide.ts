import type { Command, Decision, Fields, Touch, View } from '#domains/domain.ts'
import { MANAGE } from './commands.ts'

/** The id of a booking: a room has at most one a day. */
export const bookingId = ({ room, day }: Fields): string => `${room}:${day}`

export const touches = ({ data }: Command): Touch[] => [{ collection: 'bookings', ids: [bookingId(data)] }]

export function decide(command: Command, documents: View): Decision {
  return command.type === 'bookings.book' ? book(command, documents) : cancel(command, documents)
}

/** Rules have no clock: the command brings its time. */
function book({ data, time }: Command, documents: View): Decision {
  if (String(data.day) < time.slice(0, 10)) return { rejected: 'the day is in the past' }
  if (documents.get('bookings', bookingId(data))) return { rejected: 'the room is booked on that day' }
  return { events: [{ type: 'bookings.booked', data }] }
}

function cancel({ data, actor, scopes }: Command, documents: View): Decision {
  const booking = documents.get('bookings', bookingId(data))
  if (!booking) return { rejected: 'there is no such booking' }
  if (booking.by !== actor && !scopes.includes(MANAGE)) {
    return { rejected: 'only its owner or an administrator may cancel a booking' }
  }
  return { events: [{ type: 'bookings.cancelled', data }] }
}
