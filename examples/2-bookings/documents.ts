import type { Change, Collection, Event } from '#domains/domain.ts'
import { bookingId } from './decide.ts'

export const collections: Collection[] = [
  { name: 'bookings', indexes: { room: { fields: ['room', 'day'] }, by: { fields: ['by', 'day'] } } },
]

export function project({ type, data, actor }: Event): Change[] {
  const _id = bookingId(data)
  return type === 'bookings.booked'
    ? [{ collection: 'bookings', document: { _id, ...data, by: actor } }]
    : [{ collection: 'bookings', remove: _id }]
}
