import { decideDomain } from 'millrace'
import { z } from 'zod'

export const READ = 'bookings:read'
export const WRITE = 'bookings:write'
/** The scope of administrators, who may cancel any booking. */
export const MANAGE = 'bookings:manage'

const room = z.string().regex(/^[\w-]{1,40}$/, 'must be 1 to 40 letters, digits, underscores or dashes')
const day = z.iso.date()
const booking = z.strictObject({ room, day })
const days = z.object({ from: day.optional(), to: day.optional() })
type Booking = z.output<typeof booking>

/** A room is the unit of order: its bookings are decided one after another. */
const stream = ({ room }: Booking) => `room/${room}`
/** The id of a booking: a room has at most one a day. */
const bookingId = ({ room, day }: Booking) => `${room}:${day}`

/** Rooms that are booked by the day. */
export default decideDomain({
  name: 'bookings',
  topic: { name: 'bookings', partitions: 3 },
  // Commands of one room do not commute: the first one gets the day.
  ordering: 'ordered',
  roles: { member: [READ, WRITE], administrator: [READ, WRITE, MANAGE] },

  commands: {
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
  },
  events: { 'bookings.booked': booking, 'bookings.cancelled': booking },
  collections: {
    bookings: {
      schema: booking.extend({ by: z.string() }),
      indexes: { room: { fields: ['room', 'day'] }, by: { fields: ['by', 'day'] } },
    },
  },

  touches: ({ data }) => [{ collection: 'bookings', ids: [bookingId(data)] }],
  context: ({ data }, documents) => documents.get('bookings', bookingId(data)),
  rules: {
    'bookings.book': {
      unless: [
        // Rules have no clock: the command brings its time.
        ({ data, time }) => data.day < time.slice(0, 10) && 'the day is in the past',
        (_, booking) => booking !== undefined && 'the room is booked on that day',
      ],
      events: ({ data }) => [{ type: 'bookings.booked', data }],
    },
    'bookings.cancel': {
      unless: [
        (_, booking) => !booking && 'there is no such booking',
        ({ actor, scopes }, booking) =>
          booking?.by !== actor &&
          !scopes.includes(MANAGE) &&
          'only its owner or an administrator may cancel a booking',
      ],
      events: ({ data }) => [{ type: 'bookings.cancelled', data }],
    },
  },
  projections: {
    'bookings.booked': ({ data, actor }) => [
      { collection: 'bookings', document: { _id: bookingId(data), ...data, by: actor } },
    ],
    'bookings.cancelled': ({ data }) => [{ collection: 'bookings', remove: bookingId(data) }],
  },

  queries: ({ page, live }) => [
    page({
      path: '/api/rooms/{room}/bookings',
      name: 'list',
      summary: 'The bookings of a room by day',
      scope: READ,
      params: days.extend({ room }),
      item: z.object({ day, by: z.string() }),
      index: 'room',
      where: ({ room }) => ({ room }),
      range: ({ from, to }) => ({ from, to }),
      shape: ({ day, by }) => ({ day, by }),
    }),
    page({
      path: '/api/bookings/mine',
      name: 'mine',
      summary: 'Your own bookings by day',
      scope: READ,
      params: days,
      item: z.object({ room, day }),
      index: 'by',
      where: (_, { id }) => ({ by: id }),
      range: ({ from, to }) => ({ from, to }),
      shape: ({ room, day }) => ({ room, day }),
    }),
    live({
      path: '/api/rooms/{room}/live',
      name: 'live',
      summary: 'New events of a room as server-sent events',
      scope: READ,
      params: z.object({ room }),
      item: z.object({ type: z.string(), day, by: z.string() }),
      of: 'events',
      keep: ({ stream }, { room }) => stream === `room/${room}`,
      shape: ({ type, actor, data }) => ({ type, day: data.day, by: actor }),
    }),
  ],
})
