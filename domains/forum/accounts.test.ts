import { expect, test } from 'vitest'
import {
  ada,
  after,
  anonymous,
  bob,
  bobIsBannedEverywhere,
  expectRejected,
  kettles,
  people,
  person,
  type RejectionCase,
  root,
  write,
} from '#test/forum.ts'

const name = 'Ada Lovelace'
const email = 'ada@example.org'

test('the first log-in opens an account with the name and address of the token, and later ones change nothing', async () => {
  const { events, document } = await after([], ada('forum.accounts.open', { name, email }))
  expect(events).toEqual([{ type: 'forum.account-opened', data: { name, email } }])
  const createdAt = document('accounts', 'ada')?.createdAt
  expect(document('accounts', 'ada')).toEqual({
    _id: 'ada',
    name,
    words: ['ada', 'lovelace'],
    email,
    createdAt,
  })
  const again = await after([ada('forum.accounts.open', { name, email })], ada('forum.accounts.open', { name: 'Eve' }))
  expect(again.events).toEqual([])
  expect(again.document('accounts', 'ada')?.name).toBe(name)
})

test.each([
  [{}, 'ada'],
  [{ name: '  ' }, 'ada'],
  [{ name: '\u200b' }, 'ada'],
  [{ name: '\u202eAda\0 \u2066' }, 'Ada'],
  [{ name: ` ${'😀'.repeat(101)} ` }, '😀'.repeat(100)],
])('an account has a name for a token with %j', async (data, name) => {
  const { document } = await after([], ada('forum.accounts.open', data))
  expect(document('accounts', 'ada')).toMatchObject({ name, email: null })
})

test('a change sets name and address, and opens an account that does not exist', async () => {
  const change = ada('forum.accounts.change', { name: 'Countess', email })
  const changed = await after(people, change)
  expect(changed.events).toEqual([{ type: 'forum.account-changed', data: { name: 'Countess', email } }])
  expect(changed.document('accounts', 'ada')).toMatchObject({ name: 'Countess', words: ['countess'], email })
  expect((await after([], change)).events).toMatchObject([{ type: 'forum.account-opened' }])
  const without = await after([...people, change], ada('forum.accounts.change', { name: 'Ada' }))
  expect(without.document('accounts', 'ada')).toMatchObject({ name: 'Ada', email: null })
})

test('an administrator bans an account everywhere and lifts the ban; the account keeps its name', async () => {
  const named = [...kettles, bob('forum.accounts.change', { name: 'Bob', email })]
  const banned = [...named, root('forum.siteBans.add', { accountId: 'bob' })]
  const { events, document } = await after(named, root('forum.siteBans.add', { accountId: 'bob' }))
  expect(events).toEqual([{ type: 'forum.banned-everywhere', data: {} }])
  expect(document('accounts', 'bob')).toMatchObject({ name: 'Bob', email })
  expect(document('siteBans', 'bob')).toMatchObject({ by: 'root' })
  const lifted = root('forum.siteBans.lift', { accountId: 'bob' })
  expect((await after(banned, lifted)).document('siteBans', 'bob')).toBeUndefined()
  expect((await after([...banned, lifted], bob('forum.posts.write', write()))).events).toHaveLength(1)
})

test('an account that does not exist yet can be banned, and is banned when it is opened', async () => {
  const banned = [...kettles, root('forum.siteBans.add', { accountId: 'new' })]
  const { document } = await after(banned, person('new', 'forum:write')('forum.accounts.open', { name }))
  expect(document('accounts', 'new')).toMatchObject({ name })
  await expectRejected('', banned, person('new', 'forum:write')('forum.posts.write', write()), 'you are banned')
})

const bobBy = (who: typeof ada, how: 'add' | 'lift') => who(`forum.siteBans.${how}`, { accountId: 'bob' })

test.each<RejectionCase>([
  ['opening an account without a name', [], anonymous('forum.accounts.open'), 'log in first'],
  ['changing an account without a name', [], anonymous('forum.accounts.change', { name }), 'log in first'],
  ['changing it when banned', bobIsBannedEverywhere, bob('forum.accounts.change', { name }), 'you are banned'],
  ['banning everywhere again', bobIsBannedEverywhere, bobBy(root, 'add'), 'this account is banned'],
  ['lifting a ban that does not exist', kettles, bobBy(root, 'lift'), 'this account is not banned'],
])('%s is rejected', expectRejected)

test.each([
  ['banning everywhere as a moderator', kettles, bobBy(ada, 'add')],
  ['lifting that as a moderator', bobIsBannedEverywhere, bobBy(ada, 'lift')],
  ['lifting it oneself', bobIsBannedEverywhere, bobBy(bob, 'lift')],
])('%s is invalid without the scope', async (_, history, command) => {
  expect((await after(history, command)).invalid).toBe('The scope forum:administrate is required.')
})
