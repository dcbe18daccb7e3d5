import { expect } from 'vitest'
import type { DecideDomain, Fields } from '#domains/domain.ts'
import type { commands } from '#domains/forum/commands.ts'
import domain from '#domains/forum/domain.ts'
import { type CommandTo, given } from '#testing/given.ts'

type Type = keyof typeof commands
/** The forum without its types, since these tests make many commands from parts. */
const forum: DecideDomain = domain
type TestCommand = CommandTo<DecideDomain>

/** A sender of commands in a test of the forum. */
export const person =
  (actor: string, ...scopes: string[]) =>
  (type: Type, data: Fields = {}, id?: string): TestCommand => ({
    type,
    data,
    actor,
    ...(scopes.length > 0 ? { scopes } : {}),
    ...(id === undefined ? {} : { id }),
  })

export const [ada, bob, eve] = [
  person('ada', 'forum:write'),
  person('bob', 'forum:write'),
  person('eve', 'forum:write'),
]
export const root = person('root', 'forum:write', 'forum:administrate')
export const anonymous = person('anonymous')

export const people = [ada, bob, eve, root].map((who) => who('forum.accounts.open'))

/** Ada has opened a thread, whose first post has the same id, and Bob has written a post in it. */
export const kettles = [
  ...people,
  ada('forum.threads.open', { title: 'Kettles', text: 'Which one?' }, 'kettles'),
  bob('forum.posts.write', { threadId: 'kettles', text: 'The red one' }, 'red'),
]
/** Eve has a thread of her own. */
export const pots = [...kettles, eve('forum.threads.open', { title: 'Pots', text: 'Any?' }, 'pots')]

export const inKettles = (more: Fields = {}) => ({ threadId: 'kettles', ...more })
export const onRed = (more: Fields = {}) => inKettles({ postId: 'red', ...more })
export const inPots = (more: Fields = {}) => ({ threadId: 'pots', ...more })
export const write = (text = 'So be it') => inKettles({ text })

export const bobIsBanned = [...pots, ada('forum.bans.add', inKettles({ accountId: 'bob' }))]
export const bobIsBannedEverywhere = [...pots, root('forum.siteBans.add', { accountId: 'bob' })]
export const bobModerates = [...pots, ada('forum.moderators.appoint', inKettles({ accountId: 'bob' }))]
export const kettlesAreGone = [...pots, ada('forum.threads.delete', inKettles())]
export const redIsGone = [...pots, bob('forum.posts.delete', onRed())]

/** The outcome of a command after these commands. */
export const after = (history: TestCommand[], command: TestCommand) => given(forum, ...history).when(command)

/** A case of `test.each`: the command that is rejected after this history, and the reason. */
export type RejectionCase = [name: string, history: TestCommand[], command: TestCommand, reason: string]

export async function expectRejected(
  _: string,
  history: TestCommand[],
  command: TestCommand,
  reason: string,
): Promise<void> {
  const { rejected, events } = await after(history, command)
  expect({ rejected, events }).toEqual({ rejected: reason, events: undefined })
}
