import { z } from 'zod'
import type { Document, Fields } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { READ, room } from './commands.ts'

const day = z.iso.date()
const days = z.object({ from: day.optional(), to: day.optional() })
const range = ({ from, to }: Fields) => ({ from: from as string | undefined, to: to as string | undefined })

export const queries = [
  {
    answers: 'page',
    path: '/api/rooms/{room}/bookings',
    name: 'list',
    summary: 'The bookings of a room by day',
    scope: READ,
    params: days.extend({ room }),
    item: z.object({ day, by: z.string() }),
    index: 'room',
    where: ({ room = '' }) => ({ room }),
    range,
    shape: ({ day = '', by = '' }: Document) => ({ day, by }),
  },
  {
    answers: 'page',
    path: '/api/bookings/mine',
    name: 'mine',
    summary: 'Your own bookings by day',
    scope: READ,
    params: days,
    item: z.object({ room, day }),
    index: 'by',
    where: (_, { id }) => ({ by: id }),
    range,
    shape: ({ room = '', day = '' }: Document) => ({ room, day }),
  },
  {
    answers: 'live',
    path: '/api/rooms/{room}/live',
    name: 'live',
    summary: 'New events of a room as server-sent events',
    scope: READ,
    params: z.object({ room }),
    item: z.object({ type: z.string(), day, by: z.string() }),
    of: 'events',
    keep: ({ stream }, { room }) => stream === `room/${room}`,
    shape: ({ type = '', actor = '', data }) => ({ type, day: (data as { day: string }).day, by: actor }),
  },
] as const satisfies readonly Query[]
