import { z } from 'zod'
import type { CommandType, Fields } from '#domains/domain.ts'

export const READ = 'bookings:read'
export const WRITE = 'bookings:write'
/** The scope of administrators, who may cancel any booking. */
export const MANAGE = 'bookings:manage'

export const room = z.string().regex(/^[\w-]{1,40}$/, 'must be 1 to 40 letters, digits, underscores or dashes')

const booking = z.strictObject({ room, day: z.iso.date() })
/** A room is the unit of order: its bookings are decided one after another. */
const stream = ({ room }: Fields) => `room/${room}`

export const commands = {
  'bookings.book': {
    summary: 'Book a room for a day',
    scope: WRITE,
    data: booking,
    stream,
    routes: [{ method: 'PUT', path: '/api/rooms/{room}/bookings/{day}', body: 'none' }],
  },
  'bookings.cancel': {
    summary: 'Cancel your own booking, or any booking as an administrator',
    scope: WRITE,
    data: booking,
    stream,
    routes: [{ method: 'DELETE', path: '/api/rooms/{room}/bookings/{day}', body: 'none' }],
  },
} satisfies { [type: string]: CommandType }
