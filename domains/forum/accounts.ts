import { type CommandOf, wordsOf } from 'millrace'
import { isVisible, stripControls } from './characters.ts'
import { type commands, MAX_NAME } from './commands.ts'
import { type Projections, type Rules, reasonOf } from './context.ts'
import { existing } from './documents.ts'
import { anonymous, banned, notAdministrator } from './rejections.ts'

export const rules = {
  /** The first log-in opens the account with the token's name and address. Later ones change nothing. */
  'forum.accounts.open': {
    unless: [anonymous],
    events: (command, { actor }) => (actor.account ? [] : [{ type: 'forum.account-opened', data: profileOf(command) }]),
  },
  'forum.accounts.change': {
    unless: [anonymous, banned],
    events: (command, { actor }) => [
      { type: actor.account ? 'forum.account-changed' : 'forum.account-opened', data: profileOf(command) },
    ],
  },
  'forum.siteBans.add': {
    unless: [anonymous, notAdministrator, (_, { target }) => target.isBannedEverywhere && 'this account is banned'],
    events: ({ data }) => [{ type: 'forum.banned-everywhere', data: reasonOf(data) }],
  },
  'forum.siteBans.lift': {
    unless: [
      anonymous,
      notAdministrator,
      (_, { target }) => !target.isBannedEverywhere && 'this account is not banned',
    ],
    events: () => [{ type: 'forum.ban-everywhere-lifted', data: {} }],
  },
} satisfies Partial<Rules>

type ProfileCommand = CommandOf<typeof commands, 'forum.accounts.open' | 'forum.accounts.change'>

/** The profile to keep. A token's name may be missing, invisible or too long; the id replaces it then. */
function profileOf({ actor, data: { name = '', email } }: ProfileCommand): { name: string; email?: string } {
  const given = shortened(stripControls(name).trim()).trim()
  return { name: isVisible(given) ? given : shortened(actor), ...(email === undefined ? {} : { email }) }
}

const shortened = (name: string): string => [...name].slice(0, MAX_NAME).join('')

export const projections = {
  'forum.account-opened': ({ actor, time, data }) => [
    { collection: 'accounts', document: { _id: actor, ...fieldsOf(data), createdAt: time } },
  ],
  'forum.account-changed': ({ actor, data }, documents) => [
    { collection: 'accounts', document: { ...existing(documents, 'accounts', actor), ...fieldsOf(data) } },
  ],
  'forum.banned-everywhere': ({ stream, actor, time, data }) => [
    { collection: 'siteBans', document: { _id: accountOf(stream), by: actor, since: time, ...reasonOf(data) } },
  ],
  'forum.ban-everywhere-lifted': ({ stream }) => [{ collection: 'siteBans', remove: accountOf(stream) }],
} satisfies Partial<Projections>

const accountOf = (stream: string): string => stream.replace('account/', '')

const fieldsOf = ({ name, email = null }: { name: string; email?: string | null }) => ({
  name,
  words: wordsOf(name),
  email,
})
