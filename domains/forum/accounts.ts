import type { Fields } from '../domain.ts'
import { wordsOf } from '../words.ts'
import { isVisible, straight } from './characters.ts'
import { reasonOf, text } from './here.ts'
import { anonymous, banned, notAdministrator } from './refusals.ts'
import type { Projections, Refusal, Rule } from './rule.ts'

/** Its id is the issuer's subject. */
export type Account = {
  _id: string
  name: string
  words: string[]
  email: string | null
  createdAt: string
}

/** That an account is banned from everywhere; there may be no account yet. */
export type SiteBan = { _id: string; by: string; since: string; reason?: string }

export const LONGEST_NAME = 100

const isBanned: Refusal = ({ named }) => named.isBannedEverywhere && 'this account is banned'
const notBanned: Refusal = ({ named }) => !named.isBannedEverywhere && 'this account is not banned'

const administrating = (type: string, ...unless: Refusal[]): Rule => ({
  unless: [anonymous, notAdministrator, ...unless],
  happens: ({ data }) => [{ type, data: reasonOf(data) }],
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
  'forum.siteBans.add': administrating('forum.banned-everywhere', isBanned),
  'forum.siteBans.lift': administrating('forum.ban-everywhere-lifted', notBanned),
} satisfies { [type: string]: Rule }

/** A token may say anything, or nothing. */
function nameOf({ name }: Fields, id: string): string {
  const said = shortened(straight(text(name)).trim()).trim()
  return isVisible(said) ? said : shortened(id)
}

const shortened = (name: string): string => [...name].slice(0, LONGEST_NAME).join('')

const emailOf = ({ email }: Fields): Fields => (email === undefined ? {} : { email })

export const projections: Projections = {
  'forum.account-opened': ({ actor, time, data }) => {
    const account: Account = { _id: actor, ...said(data), createdAt: time }
    return [{ collection: 'accounts', document: account }]
  },
  'forum.account-changed': ({ actor, data }, documents) => {
    const account = documents.get('accounts', actor) as Account
    return [{ collection: 'accounts', document: { ...account, ...said(data) } }]
  },
  'forum.banned-everywhere': ({ stream, actor, time, data }) => {
    const ban: SiteBan = { _id: accountOf(stream), by: actor, since: time, ...reasonOf(data) }
    return [{ collection: 'siteBans', document: ban }]
  },
  'forum.ban-everywhere-lifted': ({ stream }) => [{ collection: 'siteBans', remove: accountOf(stream) }],
}

const accountOf = (stream: string): string => stream.replace('account/', '')

const said = ({ name, email }: Fields) => ({
  name: text(name),
  words: wordsOf(text(name)),
  email: email === undefined ? null : text(email),
})
