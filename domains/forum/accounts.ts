import type { Fields } from '../domain.ts'
import { wordsOf } from '../words.ts'
import { isVisible, stripControls } from './characters.ts'
import { reasonOf, text } from './context.ts'
import { anonymous, banned, notAdministrator } from './rejections.ts'
import type { Projections, Rejection, Rule } from './rule.ts'

/** An account. Its id is the subject of the token. */
export type Account = {
  _id: string
  name: string
  words: string[]
  email: string | null
  createdAt: string
}

/** A ban from every thread. The account need not exist yet. */
export type SiteBan = { _id: string; by: string; since: string; reason?: string }

export const MAX_NAME = 100

const alreadyBanned: Rejection = ({ target }) => target.isBannedEverywhere && 'this account is banned'
const notBanned: Rejection = ({ target }) => !target.isBannedEverywhere && 'this account is not banned'

const administratorRule = (type: string, ...unless: Rejection[]): Rule => ({
  unless: [anonymous, notAdministrator, ...unless],
  events: ({ data }) => [{ type, data: reasonOf(data) }],
})

export const rules = {
  /** The first log-in opens the account with the token's name and address. Later ones change nothing. */
  'forum.accounts.open': {
    unless: [anonymous],
    events: ({ data }, { actor }) =>
      actor.account ? [] : [{ type: 'forum.account-opened', data: { name: nameOf(data, actor.id), ...emailOf(data) } }],
  },
  'forum.accounts.change': {
    unless: [anonymous, banned],
    events: ({ data }, { actor }) => [
      {
        type: actor.account ? 'forum.account-changed' : 'forum.account-opened',
        data: { name: nameOf(data, actor.id), ...emailOf(data) },
      },
    ],
  },
  'forum.siteBans.add': administratorRule('forum.banned-everywhere', alreadyBanned),
  'forum.siteBans.lift': administratorRule('forum.ban-everywhere-lifted', notBanned),
} satisfies { [type: string]: Rule }

/** The name to keep. A token's name may be missing, invisible or too long; the id replaces it then. */
function nameOf({ name }: Fields, id: string): string {
  const given = shortened(stripControls(text(name)).trim()).trim()
  return isVisible(given) ? given : shortened(id)
}

const shortened = (name: string): string => [...name].slice(0, MAX_NAME).join('')

const emailOf = ({ email }: Fields): Fields => (email === undefined ? {} : { email })

export const projections: Projections = {
  'forum.account-opened': ({ actor, time, data }) => {
    const account: Account = { _id: actor, ...profileOf(data), createdAt: time }
    return [{ collection: 'accounts', document: account }]
  },
  'forum.account-changed': ({ actor, data }, documents) => {
    const account = documents.get('accounts', actor) as Account
    return [{ collection: 'accounts', document: { ...account, ...profileOf(data) } }]
  },
  'forum.banned-everywhere': ({ stream, actor, time, data }) => {
    const ban: SiteBan = { _id: accountOf(stream), by: actor, since: time, ...reasonOf(data) }
    return [{ collection: 'siteBans', document: ban }]
  },
  'forum.ban-everywhere-lifted': ({ stream }) => [{ collection: 'siteBans', remove: accountOf(stream) }],
}

const accountOf = (stream: string): string => stream.replace('account/', '')

const profileOf = ({ name, email }: Fields) => ({
  name: text(name),
  words: wordsOf(text(name)),
  email: email === undefined ? null : text(email),
})
