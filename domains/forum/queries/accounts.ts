import { z } from 'zod'
import type { Document } from '../../domain.ts'
import type { Query } from '../../query.ts'
import type { Account } from '../accounts.ts'
import { READ, text, WRITE } from '../here.ts'
import { hasWords, rarestOf, search, time } from './shapes.ts'

const account = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: time,
  isBanned: z.boolean().describe('From everywhere'),
})

const own = account.extend({
  email: z.string().nullable(),
  createdAt: time.nullable().describe('null: it is not there yet, and this is what your token says'),
})

/** An address is nobody else's business. */
function shape(document: Document) {
  const { _id: id, name, createdAt, isBanned } = document as Account
  return { id, name, createdAt, isBanned }
}

export const accounts = [
  {
    answers: 'page',
    path: '/api/accounts',
    name: 'accounts.list',
    summary: 'Accounts with all of these words in their names',
    scope: READ,
    params: z.object({ name: search }),
    item: account,
    from: 'accounts',
    index: 'words',
    where: ({ name }) => ({ words: rarestOf(name) }),
    keep: (document, { name }) => hasWords(document, name),
    shape,
  },
  {
    answers: 'view',
    path: '/api/accounts/me',
    name: 'accounts.me',
    summary: 'Your own account',
    scope: WRITE,
    item: own,
    touches: (_, { id }) => [{ collection: 'accounts', ids: [id] }],
    answer(documents, _, { id, name = id, email = null }) {
      const found = documents.get('accounts', id) as Account | undefined
      return found ? { ...shape(found), email: found.email } : { id, name, email, createdAt: null, isBanned: false }
    },
  },
  {
    answers: 'view',
    path: '/api/accounts/{accountId}',
    name: 'accounts.one',
    summary: 'An account',
    scope: READ,
    item: account,
    touches: ({ accountId }) => [{ collection: 'accounts', ids: [text(accountId)] }],
    answer(documents, { accountId }) {
      const found = documents.get('accounts', text(accountId))
      return found && shape(found)
    },
  },
] as const satisfies readonly Query[]
