import { z } from 'zod'
import type { Command, CommandType, DecideDomain, Document, Event, Fields, View } from '#domains/domain.ts'

/** What is wrong with the first version of persist: a bug, one that ends the process, and a command that only the next one reads. */
export const FLAWS = ['bug', 'crash', 'unread'] as const

export interface Version {
  isMended: boolean
  /** Ends the process that decides. */
  crash(): void
}

const account = z.string().min(1)

const stream = ({ account }: Fields) => `account/${account}`
const flaw = z.enum(FLAWS).optional()
const moving = z.object({ account, by: z.int(), flaw }).transform((data) => JSON.parse(JSON.stringify(data)) as Fields)

const move: CommandType = {
  data: moving,
  stream,
  routes: [{ method: 'POST', path: '/api/accounts/move', body: 'json' }],
}
const commands = {
  'accounts.move': move,
  'accounts.close': {
    data: z.object({ account }),
    stream,
    routes: [{ method: 'POST', path: '/api/accounts/close', body: 'json' }],
  } satisfies CommandType,
}
const unmended = { 'accounts.move': { ...move, data: moving.refine(({ flaw }) => flaw !== 'unread') } }

/**
 * A domain of the simulation: accounts that never go below zero and can be closed, so that it shows in which order their
 * commands were applied. Its first version has flaws and doesn't know `accounts.close`.
 */
export function accounts({ isMended, crash }: Version): DecideDomain {
  return {
    kind: 'decide',
    name: 'accounts',
    topic: { name: 'accounts', partitions: 2 },
    ordering: 'ordered',
    commands: isMended ? commands : unmended,
    collections: [{ name: 'accounts', indexes: {} }],
    touches: ({ data }) => [{ collection: 'accounts', ids: [String(data.account)] }],
    decide(command, documents) {
      if (!isMended && command.data.flaw === 'bug') throw new Error('a bug')
      if (!isMended && command.data.flaw === 'crash') crash()
      return decide(command, documents)
    },
    project: ({ type, data, command }, documents) => {
      const { closed = false, balance = 0, commands = [] } = accountIn(documents, data)
      const document = {
        _id: String(data.account),
        closed: closed === true || type === 'accounts.closed',
        balance: Number(balance) + Number(data.by ?? 0),
        commands: [...new Set([...(commands as string[]), command])],
      }
      return [{ collection: 'accounts', document }]
    },
    tally: {
      collection: { name: 'accounts-total', indexes: {} },
      zero: { total: 0 },
      add: ({ total }, { data }: Event) => ({ total: Number(total) + Number(data.by ?? 0) }),
    },
    queries: [
      { answers: 'one', path: '/api/accounts/{id}', shape: ({ _id, ...account }: Document) => account },
      { answers: 'total', path: '/api/accounts', total: (slots) => String(slots.reduce(sumOf, 0)) },
    ],
  }
}

const accountIn = (documents: View, { account }: Fields): Fields => documents.get('accounts', String(account)) ?? {}

const sumOf = (sum: number, { total }: Document) => sum + Number(total)

/** A large move is two events, and one by nothing is none. */
function decide({ type, data }: Command, documents: View) {
  const { closed = false, balance = 0 } = accountIn(documents, data)
  if (closed) return { rejected: 'the account is closed' }
  if (type === 'accounts.close') return { events: [{ type: 'accounts.closed', data }] }
  const by = Number(data.by)
  if (Number(balance) + by < 0) return { rejected: 'an account does not go below zero' }
  const moved = (by: number) => ({ type: 'accounts.moved', data: { account: data.account ?? '', by } })
  if (by === 0) return { events: [] }
  return { events: by > 50 ? [moved(50), moved(by - 50)] : [moved(by)] }
}
