import type { Change, Event, Fields, View } from '../domain.ts'
import { wordsOf } from '../words.ts'
import { text } from './here.ts'
import { anonymous, banned, noAccount, notAdministrator } from './refusals.ts'
import type { Projections, Refusal, Rule } from './rule.ts'

/** Its id is the issuer's subject. */
export type Account = {
  _id: string
  name: string
  words: string[]
  email: string | null
  createdAt: string
  /** From everywhere. */
  isBanned: boolean
}

export const LONGEST_NAME = 100

const bannedAlready: Refusal = ({ named }) => named.account?.isBanned === true && 'this account is banned'
const notBanned: Refusal = ({ named }) => named.account?.isBanned !== true && 'this account is not banned'

const administrating = (type: string, ...unless: Refusal[]): Rule => ({
  unless: [anonymous, notAdministrator, noAccount, ...unless],
  happens: () => [{ type, data: {} }],
})

export const rules = {
  /** At a first log-in, with what the token says; later ones change nothing. */
  'forum.accounts.open': {
    unless: [anonymous],
    happens: ({ data }, { actor }) =>
      actor.account ? [] : [{ type: 'forum.account-opened', data: { name: nameOf(data, actor.id), ...emailOf(data) } }],
  },
  'forum.accounts.change': {
    unless: [anonymous, banned],
    happens: ({ data }, { actor }) => [
      {
        type: actor.account ? 'forum.account-changed' : 'forum.account-opened',
        data: { name: nameOf(data, actor.id), ...emailOf(data) },
      },
    ],
  },
  'forum.siteBans.add': administrating('forum.banned-everywhere', bannedAlready),
  'forum.siteBans.lift': administrating('forum.ban-everywhere-lifted', notBanned),
} satisfies { [type: string]: Rule }

/** A token may say anything, or nothing. */
const nameOf = ({ name }: Fields, id: string): string =>
  [...text(name).trim()].slice(0, LONGEST_NAME).join('').trim() || [...id].slice(0, LONGEST_NAME).join('')

const emailOf = ({ email }: Fields): Fields => (email === undefined ? {} : { email })

export const projections: Projections = {
  'forum.account-opened': ({ actor, time, data }) => {
    const account: Account = { _id: actor, ...said(data), createdAt: time, isBanned: false }
    return [{ collection: 'accounts', document: account }]
  },
  'forum.account-changed': (event, documents) => [changed(event, documents, said(event.data))],
  'forum.banned-everywhere': (event, documents) => [changed(event, documents, { isBanned: true })],
  'forum.ban-everywhere-lifted': (event, documents) => [changed(event, documents, { isBanned: false })],
}

const said = ({ name, email }: Fields) => ({
  name: text(name),
  words: wordsOf(text(name)),
  email: email === undefined ? null : text(email),
})

/** The account that an event is about, with what the event changes in it. */
function changed({ stream }: Event, documents: View, change: Partial<Account>): Change {
  const account = documents.get('accounts', stream.replace('account/', '')) as Account
  return { collection: 'accounts', document: { ...account, ...change } }
}
