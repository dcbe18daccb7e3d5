import { z } from 'zod'
import type { Document } from '#domains/domain.ts'
import type { Query } from '#domains/query.ts'
import { READ, room } from './commands.ts'

const day = z.iso.date()

export const queries = [
  {
    answers: 'page',
    path: '/api/rooms/{room}/bookings',
    name: 'list',
    summary: 'The bookings of a room by day',
    scope: READ,
    params: z.object({ room, from: day.optional(), to: day.optional() }),
    item: z.object({ day, by: z.string() }),
    index: 'room',
    where: ({ room = '' }) => ({ room }),
    range: ({ from, to }) => ({ from: from as string | undefined, to: to as string | undefined }),
    shape: ({ day = '', by = '' }: Document) => ({ day, by }),
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
