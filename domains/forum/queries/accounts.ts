import { z } from 'zod'
import type { Document, Touch, View } from '../../domain.ts'
import type { Query } from '../../query.ts'
import { hasWords, rarestOf, wordsOf } from '../../words.ts'
import type { Account } from '../accounts.ts'
import { READ, text, WRITE } from '../context.ts'
import { search, time } from './shapes.ts'

const account = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: time,
  isBanned: z.boolean().describe('true: banned from every thread'),
})

const own = account.extend({
  email: z.string().nullable(),
  createdAt: time.nullable().describe('null: the account does not exist yet, and name and email are from your token'),
})

const withBan = (id: string): Touch[] => ['accounts', 'siteBans'].map((collection) => ({ collection, ids: [id] }))

/** An account without its address, which only its owner may read. */
function accountIn(documents: View, document: Document) {
  const { _id: id, name, createdAt } = document as Account
  return { id, name, createdAt, isBanned: documents.get('siteBans', id) !== undefined }
}

export const accounts = [
  {
    answers: 'page',
    path: '/api/accounts',
    name: 'accounts.list',
    summary: 'Accounts whose names have all of these words',
    scope: READ,
    params: z.object({ name: search }),
    item: account,
    from: 'accounts',
    index: 'words',
    where: ({ name }) => ({ words: rarestOf(name) }),
    keep: (document, { name }) => hasWords(document, name),
    numbered: { sorts: { name: {} }, isByIndex: ({ name }) => wordsOf(text(name)).length === 1 },
    join: ({ _id }) => withBan(_id),
    shape: (document, { documents }) => accountIn(documents, document),
  },
  {
    answers: 'view',
    path: '/api/accounts/me',
    name: 'accounts.me',
    summary: 'Your own account',
    scope: WRITE,
    item: own,
    touches: (_, { id }) => withBan(id),
    answer(documents, _, { id, name = id, email = null }) {
      const found = documents.get('accounts', id) as Account | undefined
      return {
        ...accountIn(documents, found ?? { _id: id, name, createdAt: null }),
        email: found ? found.email : email,
      }
    },
  },
  {
    answers: 'view',
    path: '/api/accounts/{accountId}',
    name: 'accounts.one',
    summary: 'An account',
    scope: READ,
    item: account,
    touches: ({ accountId }) => withBan(text(accountId)),
    answer(documents, { accountId }) {
      const found = documents.get('accounts', text(accountId))
      return found && accountIn(documents, found)
    },
  },
] as const satisfies readonly Query[]
