import { hasWords, rarestOf, wordsOf } from 'millrace'
import { z } from 'zod'
import { READ, WRITE } from '../commands.ts'
import type { Account, Documents, Kinds } from '../documents.ts'
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

const withBan = (id: string) => (['accounts', 'siteBans'] as const).map((collection) => ({ collection, ids: [id] }))

const isBanned = (documents: Documents, id: string): boolean => documents.get('siteBans', id) !== undefined

/** An account without its address, which only its owner may read. */
const accountIn = (documents: Documents, { _id: id, name, createdAt }: Account) => ({
  id,
  name,
  createdAt,
  isBanned: isBanned(documents, id),
})

export const accounts = ({ page, composed }: Kinds) => [
  page({
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
    numbered: { sorts: { name: {} }, isByIndex: ({ name }) => wordsOf(name).length === 1 },
    join: ({ _id }) => withBan(_id),
    shape: (document, { documents }) => accountIn(documents, document),
  }),
  composed({
    path: '/api/accounts/me',
    name: 'accounts.me',
    summary: 'Your own account',
    scope: WRITE,
    item: own,
    touches: (_, { id }) => withBan(id),
    answer(documents, _, { id, name = id, email = null }) {
      const found = documents.get('accounts', id)
      if (found) return { ...accountIn(documents, found), email: found.email }
      return { id, name, createdAt: null, isBanned: isBanned(documents, id), email }
    },
  }),
  composed({
    path: '/api/accounts/{accountId}',
    name: 'accounts.one',
    summary: 'An account',
    scope: READ,
    item: account,
    touches: ({ accountId }) => withBan(accountId),
    answer(documents, { accountId }) {
      const found = documents.get('accounts', accountId)
      return found && accountIn(documents, found)
    },
  }),
]
