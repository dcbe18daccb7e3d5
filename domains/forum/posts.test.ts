import { expect, test } from 'vitest'
import {
  ada,
  after,
  anonymous,
  bob,
  bobIsBanned,
  bobIsBannedEverywhere,
  bobModerates,
  eve,
  expectRejected,
  inPots,
  kettles,
  kettlesAreGone,
  onRed,
  pots,
  type RejectionCase,
  redIsGone,
  root,
  write,
} from '#test/forum.ts'
import type { PostBeginning } from './documents.ts'

test('a written post counts in the thread, and is its last activity', async () => {
  const { events, document } = await after(kettles, eve('forum.posts.write', write('Red, RED & rot'), 'new'))
  expect(events).toEqual([{ type: 'forum.post-written', data: { post: 'new', text: 'Red, RED & rot' } }])
  const createdAt = document('posts', 'new')?.createdAt
  expect(document('posts', 'new')).toEqual({
    _id: 'new',
    thread: 'kettles',
    author: 'eve',
    text: 'Red, RED & rot',
    words: ['red', 'rot'],
    createdAt,
    editedAt: null,
    up: 0,
    down: 0,
    score: 0,
    isDeleted: false,
  })
  expect(document('threads', 'kettles')).toMatchObject({ posts: 3, lastActivityAt: createdAt })
  expect(document('threads', 'kettles')?.createdAt).not.toBe(createdAt)
})

test('a post keeps its text unchanged, except for the space around it', async () => {
  const text = 'e\u0301 is not \u00e9,\n\u202eand this is <script>'
  const { document } = await after(kettles, bob('forum.posts.write', write(`\n ${text}\t`), 'new'))
  expect(document('posts', 'new')?.text).toBe(text)
})

test('a post is found by its first thousand words only', async () => {
  const words = Array.from({ length: 1500 }, (_, n) => `w${n}`)
  const { document } = await after(kettles, bob('forum.posts.write', write(words.join(' ')), 'new'))
  expect(document('posts', 'new')?.words).toEqual(words.slice(0, 1000))
})

test('a post has an index of its first thousand characters by substrings, until it is deleted', async () => {
  const asked = bob('forum.posts.write', write(`A  GIRAFFE ${'𐐨x'.repeat(600)} behind`), 'new')
  const written = await after(kettles, asked)
  const { beginning, trigrams, createdAt } = written.document('postBeginnings', 'new') as PostBeginning
  expect([...beginning]).toHaveLength(999)
  expect(trigrams).toEqual(['gir', 'ira', 'raf', 'aff', 'ffe', '𐐨x𐐨', 'x𐐨x'])
  expect(createdAt).toBe(written.document('posts', 'new')?.createdAt)
  const inNew = (type: 'forum.posts.edit' | 'forum.posts.delete', more = {}) =>
    after([...kettles, asked], bob(type, { threadId: 'kettles', postId: 'new', ...more }))
  expect((await inNew('forum.posts.edit', { text: 'Zoo' })).document('postBeginnings', 'new')).toEqual({
    _id: 'new',
    beginning: 'zoo',
    trigrams: ['zoo'],
    createdAt,
  })
  expect((await inNew('forum.posts.delete')).document('postBeginnings', 'new')).toBeUndefined()
})

test('an author edits a post, which changes its words but not the last activity of the thread', async () => {
  const { events, document } = await after(kettles, bob('forum.posts.edit', onRed({ text: 'The blue one' })))
  expect(events).toEqual([{ type: 'forum.post-edited', data: { post: 'red', text: 'The blue one' } }])
  const post = document('posts', 'red')
  expect(post).toMatchObject({ text: 'The blue one', words: ['the', 'blue', 'one'] })
  expect(Date.parse(String(post?.editedAt))).toBeGreaterThan(Date.parse(String(post?.createdAt)))
  expect(document('threads', 'kettles')).toMatchObject({ posts: 2, lastActivityAt: post?.createdAt })
})

test('an author edits the first post like any other', async () => {
  const { document } = await after(kettles, ada('forum.posts.edit', onRed({ postId: 'kettles', text: 'Why?' })))
  expect(document('posts', 'kettles')?.text).toBe('Why?')
})

test.each([
  ['its author', kettles, bob],
  ['the moderator', kettles, ada],
  ['an administrator', kettles, root],
])('a post that %s deletes keeps its place without its text', async (_, history, who) => {
  const { events, document } = await after(history, who('forum.posts.delete', onRed()))
  expect(events).toEqual([{ type: 'forum.post-deleted', data: { post: 'red' } }])
  expect(document('posts', 'red')).toMatchObject({ isDeleted: true, text: '', words: [], author: 'bob' })
  expect(document('threads', 'kettles')?.posts).toBe(1)
})

const notAuthor = 'only its author may edit a post'
const neither = 'only its author or a moderator of the thread may delete a post'
const otherThread = 'there is no such post in this thread'
const banned = 'you are banned from this thread'
const noThread = 'the thread does not exist or was deleted'
const text = 'x'

test.each<RejectionCase>([
  ['writing without a name', kettles, anonymous('forum.posts.write', write()), 'log in first'],
  ['writing when banned from the thread', bobIsBanned, bob('forum.posts.write', write()), banned],
  ['writing when banned everywhere', bobIsBannedEverywhere, bob('forum.posts.write', write()), 'you are banned'],
  ['editing when banned from the thread', bobIsBanned, bob('forum.posts.edit', onRed({ text })), banned],
  ['deleting when banned from the thread', bobIsBanned, bob('forum.posts.delete', onRed()), banned],
  ['editing the post of another', kettles, eve('forum.posts.edit', onRed({ text })), notAuthor],
  ['editing the post of another as a moderator', kettles, ada('forum.posts.edit', onRed({ text })), notAuthor],
  ['editing the post of another as an administrator', kettles, root('forum.posts.edit', onRed({ text })), notAuthor],
  ['deleting the post of another', kettles, eve('forum.posts.delete', onRed()), neither],
  ['deleting a post as a moderator of another thread', pots, eve('forum.posts.delete', onRed()), neither],
  ['deleting it by way of that thread', pots, eve('forum.posts.delete', inPots({ postId: 'red' })), otherThread],
  ['editing by way of another thread', pots, bob('forum.posts.edit', inPots({ postId: 'red', text })), otherThread],
  ['editing a post that never existed', pots, bob('forum.posts.edit', onRed({ postId: 'none', text })), otherThread],
  ['editing a deleted post', redIsGone, bob('forum.posts.edit', onRed({ text })), 'the post is deleted'],
  ['deleting a post again', redIsGone, bob('forum.posts.delete', onRed()), 'the post is deleted'],
  ['deleting it again as an administrator', redIsGone, root('forum.posts.delete', onRed()), 'the post is deleted'],
  ['editing in a deleted thread', kettlesAreGone, bob('forum.posts.edit', onRed({ text })), noThread],
  ['deleting in a deleted thread', kettlesAreGone, root('forum.posts.delete', onRed()), noThread],
  [
    'editing as one more moderator',
    bobModerates,
    bob('forum.posts.edit', onRed({ postId: 'kettles', text })),
    notAuthor,
  ],
])('%s is rejected', expectRejected)
