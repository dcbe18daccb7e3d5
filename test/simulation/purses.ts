import { z } from 'zod'
import type { Command, CommandType, DecideDomain, Document, DocumentReader, Fields, View } from '#domains/domain.ts'

/** The flaws of the first version: a bug, a crash, and a command that only the next version can read. */
export const FLAWS = ['bug', 'crash', 'unread'] as const

export interface Version {
  isMended: boolean
  /** Kills the process that decides. */
  crash(): void
}

const purse = z.string().min(1)

const stream = ({ purse }: Fields) => `purse/${purse}`
const flaw = z.enum(FLAWS).optional()
const moving = z.object({ purse, by: z.int(), flaw }).transform((data) => JSON.parse(JSON.stringify(data)) as Fields)

const move: CommandType = {
  data: moving,
  stream,
  routes: [{ method: 'POST', path: '/api/purses/move', body: 'json' }],
}
const commands = {
  'purses.move': move,
  'purses.close': {
    data: z.object({ purse }),
    stream,
    routes: [{ method: 'POST', path: '/api/purses/close', body: 'json' }],
  } satisfies CommandType,
}
const unmended = { 'purses.move': { ...move, data: moving.refine(({ flaw }) => flaw !== 'unread') } }

/**
 * A domain of the simulation: purses that never go below zero and can be closed, so that their state reveals the order of their
 * commands. The first version has flaws and does not know `purses.close`.
 */
export function purses({ isMended, crash }: Version): DecideDomain {
  return {
    kind: 'decide',
    name: 'purses',
    topic: { name: 'purses', partitions: 2 },
    ordering: 'ordered',
    commands: isMended ? commands : unmended,
    collections: [{ name: 'purses', indexes: {} }],
    touches: ({ data }) => [{ collection: 'purses', ids: [String(data.purse)] }],
    decide(command, documents) {
      if (!isMended && command.data.flaw === 'bug') throw new Error('a bug')
      if (!isMended && command.data.flaw === 'crash') crash()
      return decide(command, documents)
    },
    project: ({ type, data, command }, documents) => {
      const { closed = false, balance = 0, commands = [] } = purseIn(documents, data)
      const document = {
        _id: String(data.purse),
        closed: closed === true || type === 'purses.closed',
        balance: Number(balance) + Number(data.by ?? 0),
        commands: [...new Set([...(commands as string[]), command])],
      }
      return [{ collection: 'purses', document }]
    },
    views: [
      {
        collection: { name: 'purses-total', indexes: {} },
        zero: { total: 0 },
        isSlotted: true,
        keys: () => [''],
        fold: ({ total }, { data }) => ({ total: Number(total) + Number(data.by ?? 0) }),
      },
      MOVES,
    ],
    queries: [
      { answers: 'one', path: '/api/purses/{id}', shape: ({ _id, ...purse }: Document) => purse },
      { answers: 'total', path: '/api/purses', total: (slots) => String(slots.reduce(sumOf, 0)) },
    ],
  }
}

/** The moves of all purses by their direction, and those that are large. Their sums do not depend on the order of streams. */
export const MOVES: View = {
  collection: { name: 'purses-moves', indexes: {} },
  zero: { moves: 0, sum: 0 },
  isSlotted: false,
  keys({ type, data }) {
    const by = Number(data.by)
    if (type !== 'purses.moved') return []
    return [by > 0 ? 'in' : 'out', ...(Math.abs(by) > 10 ? ['large'] : [])]
  },
  fold: ({ moves, sum }, { data }) => ({ moves: Number(moves) + 1, sum: Number(sum) + Number(data.by) }),
}

const purseIn = (documents: DocumentReader, { purse }: Fields): Fields => documents.get('purses', String(purse)) ?? {}

const sumOf = (sum: number, { total }: Document) => sum + Number(total)

/** A large move is two events, and a move by zero is none. */
function decide({ type, data }: Command, documents: DocumentReader) {
  const { closed = false, balance = 0 } = purseIn(documents, data)
  if (closed) return { rejected: 'the purse is closed' }
  if (type === 'purses.close') return { events: [{ type: 'purses.closed', data }] }
  const by = Number(data.by)
  if (Number(balance) + by < 0) return { rejected: 'a purse does not go below zero' }
  const moved = (by: number) => ({ type: 'purses.moved', data: { purse: data.purse ?? '', by } })
  if (by === 0) return { events: [] }
  return { events: by > 50 ? [moved(50), moved(by - 50)] : [moved(by)] }
}
