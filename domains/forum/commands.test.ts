import { expect, test } from 'vitest'
import { ada } from '#test/forum.ts'
import { commands } from './commands.ts'
import domain from './domain.ts'

type Type = keyof typeof commands

const thread = { threadId: 't' }
const post = { threadId: 't', postId: 'p' }

test.each<[type: Type, data: object, isTaken: boolean]>([
  ['forum.threads.open', { title: '𐐨'.repeat(256), text: 'x' }, true],
  ['forum.threads.open', { title: '𐐨'.repeat(257), text: 'x' }, false],
  ['forum.threads.open', { title: ' \n', text: 'x' }, false],
  ['forum.threads.open', { title: 'x' }, true],
  ['forum.threads.open', { text: 'x' }, false],
  ['forum.threads.open', { title: 'x', text: ' ' }, false],
  ['forum.threads.open', { title: 'x', text: ` ${'😀'.repeat(10_000)} ` }, true],
  ['forum.threads.open', { title: 'x', text: '😀'.repeat(10_001) }, false],
  ['forum.threads.change', { ...thread, title: 'x'.repeat(257) }, false],
  ['forum.posts.write', { ...thread, text: '' }, false],
  ['forum.posts.edit', { ...post, text: 'x'.repeat(10_001) }, false],
  ['forum.posts.write', { threadId: 't:u', text: 'x' }, false],
  ['forum.votes.cast', { ...post, value: -1 }, true],
  ['forum.votes.cast', { ...post, value: 2 }, false],
  ['forum.votes.cast', { ...post, value: '1' }, false],
  ['forum.accounts.change', { name: 'x'.repeat(100) }, true],
  ['forum.accounts.change', { name: 'x'.repeat(101) }, false],
  ['forum.accounts.change', { name: 'x', email: 'nowhere' }, false],
  ['forum.threads.change', { ...thread, title: 'می‌خواهم 👩‍👧 \u200f' }, true],
  ...['\u200b', '\u2066\u2069', '\0', '\u2800', '\u3164', '\ufe0f'].flatMap((nothing): [Type, object, boolean][] => [
    ['forum.threads.change', { ...thread, title: nothing }, false],
    ['forum.posts.edit', { ...post, text: nothing }, false],
    ['forum.accounts.change', { name: nothing }, false],
  ]),
  ...['\0', '\u202a', '\u202e', '\u2066', '\u2069'].flatMap((misleading): [Type, object, boolean][] => [
    ['forum.threads.change', { ...thread, title: `x${misleading}y` }, false],
    ['forum.posts.edit', { ...post, text: `x${misleading}y` }, true],
    ['forum.accounts.change', { name: `x${misleading}y` }, false],
  ]),
  ['forum.siteBans.add', { accountId: 'white space' }, false],
  ['forum.siteBans.add', { accountId: 'bob', reason: 'x'.repeat(1000) }, true],
  ['forum.siteBans.add', { accountId: 'bob', reason: 'x'.repeat(1001) }, false],
  ['forum.bans.add', { ...thread, accountId: 'bob', reason: '\u200b' }, false],
  ['forum.bans.lift', { ...thread, accountId: 'bob', reason: 'Sorry' }, false],
  ...[
    'f3a1c9be-58d4-4f2e-9d65-0c1b7a2e4d90',
    'auth0|5f7c8ec7c33c6c004bbafe82',
    'google-oauth2|103547991597142817347',
    'mary.miller@mill.example',
    'f:0b1c2d3e:mary',
    'x'.repeat(200),
  ].map((accountId): [Type, object, boolean] => ['forum.bans.add', { ...thread, accountId }, true]),
])('%s with %j is valid: %s', (type, data, isTaken) => {
  expect(commands[type].data.safeParse(data).success).toBe(isTaken)
})

test.each(Object.keys(commands) as Type[])('%s touches at most eleven documents by their ids', (type) => {
  const data = { ...post, accountId: 'bob', name: 'x', title: 'x', text: 'x', value: 1 }
  const stream = domain.commands[type]?.stream(data, 'i', 'ada') ?? ''
  const { length } = domain
    .touches({ ...ada(type, data), id: 'i', stream, actor: 'ada', scopes: [], time: '', offset: 0 })
    .flatMap(({ ids }) => ids)
  expect(length).toBeLessThanOrEqual(11)
})
