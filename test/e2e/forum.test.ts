import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createClient } from '#client/client.ts'
import type forum from '#domains/forum/domain.ts'
import { tokensOf } from '../auth/grant.ts'
import { conforming } from '../conforming.ts'
import { discard, type Mill, startMill } from '../mill.ts'

const PEOPLE = ['member', 'member2', 'moderator', 'administrator'] as const
type Person = (typeof PEOPLE)[number]

let mill: Mill
let tokens: Map<string, string>

beforeAll(async () => {
  mill = await startMill({ pair: inject('pair'), env: inject('issuer').env })
  tokens = await tokensOf(inject('issuer').url ?? `${mill.publish}/oidc`, [...PEOPLE])
  await Promise.all(PEOPLE.map((person) => as(person).accounts.change({ name: `The ${person}` })))
}, 120_000)

afterAll(async () => {
  await mill?.stop()
  if (mill) discard(mill)
})

/** A client of the forum for a person, or without a token. */
function as(person?: Person) {
  const token = person && tokens.get(person)
  const url = { publish: mill.publish, query: mill.query }
  return createClient<{ forum: typeof forum }>({ url, ...(token ? { token } : {}) }).forum
}

const open = async (title: string, text = 'Which one?', person: Person = 'member') =>
  (await as(person).threads.open({ title, text })).id
const write = async (threadId: string, text: string, person: Person = 'member2') =>
  (await as(person).posts.write({ threadId, text })).id
const texts = ({ items }: { items: { text: string }[] }) => items.map(({ text }) => text)
const ids = ({ items }: { items: { id: string }[] }) => items.map(({ id }) => id)
/** A word that no other test uses. */
const newWord = () => `w${crypto.randomUUID().replaceAll('-', '')}`

test("a thread has its current first post and everybody's current name", async () => {
  const threadId = await open(' Kettles ')
  await write(threadId, 'The red one')
  await as('member').posts.edit({ threadId, postId: threadId, text: 'Which kettle?' })
  await as('member').accounts.change({ name: 'Mary', email: 'mary@example.org' })
  const thread = await as().threads.one({ threadId })
  expect(thread).toMatchObject({ id: threadId, title: 'Kettles', posts: 2, moderators: 1, author: { name: 'Mary' } })
  expect(thread.firstPost).toMatchObject({
    id: threadId,
    text: 'Which kettle?',
    author: { id: 'member', name: 'Mary' },
  })
  expect(thread.firstPost?.editedAt).not.toBeNull()
  const { items } = await as().posts.list({ threadId })
  expect(items.map(({ author, text }) => [author.name, text])).toEqual([
    ['Mary', 'Which kettle?'],
    ['The member2', 'The red one'],
  ])
  expect(await as().posts.one({ threadId, postId: items[1]?.id ?? '' })).toEqual(items[1])
  expect(await as().posts.byId({ postId: items[1]?.id ?? '' })).toEqual(items[1])
})

test('a thread with a title only has no first post, even after other posts', async () => {
  const threadId = (await as('member').threads.open({ title: 'Only a title' })).id
  expect(await as().threads.one({ threadId })).toMatchObject({ title: 'Only a title', posts: 0, firstPost: null })
  expect((await as().posts.list({ threadId })).items).toEqual([])
  const postId = await write(threadId, 'A reply')
  expect(await as().threads.one({ threadId })).toMatchObject({ posts: 1, firstPost: null })
  expect(ids(await as().posts.list({ threadId }))).toEqual([postId])
  const [listed] = (await as().threads.list({ order: 'recent', limit: 1 })).items
  expect(listed).toMatchObject({ id: threadId, firstPost: null })
})

test('posts are listed by age and score in pages, and each account votes once', async () => {
  const threadId = await open('Votes', 'zero')
  const posts = [threadId]
  for (const text of ['one', 'two', 'three']) posts.push(await write(threadId, text))
  const cast = (person: Person, at: number, value: 1 | 0 | -1) =>
    as(person).votes.cast({ threadId, postId: posts[at] ?? '', value })
  await Promise.all([cast('member', 2, 1), cast('moderator', 2, 1), cast('member', 1, 1), cast('member2', 3, -1)])
  const list = async (order: 'oldest' | 'newest' | 'best') => texts(await as().posts.list({ threadId, order }))
  expect(await list('oldest')).toEqual(['zero', 'one', 'two', 'three'])
  expect(await list('newest')).toEqual(['three', 'two', 'one', 'zero'])
  expect(await list('best')).toEqual(['two', 'one', 'zero', 'three'])
  const paged: string[] = []
  for await (const { text } of as().posts.list.each({ threadId, order: 'best', limit: 1 })) paged.push(text)
  expect(paged).toEqual(['two', 'one', 'zero', 'three'])

  const before = await as().threads.history({ threadId })
  expect(await cast('member', 2, 1)).toMatchObject({ status: 'applied' })
  expect(await cast('administrator', 2, 0)).toMatchObject({ status: 'applied' })
  expect(await as().threads.history({ threadId })).toEqual(before)
  await cast('member', 2, -1)
  await cast('member', 1, 0)
  expect(await as('member').votes.one({ threadId, postId: posts[2] ?? '' })).toEqual({ value: -1 })
  expect((await as('member').votes.list({ posts: posts.join(',') })).items.map(({ value }) => value)).toEqual([
    0, 0, -1, 0,
  ])
  expect(await as().posts.one({ threadId, postId: posts[2] ?? '' })).toMatchObject({ up: 1, down: 1, score: 0 })
  await expect(as().votes.one({ threadId, postId: threadId })).rejects.toMatchObject({ status: 401 })
})

test('callers read only their own vote, on a post of its thread', async () => {
  const [threadId, other] = await Promise.all([open('Mine'), open('Another')])
  const postId = await write(threadId, 'Said')
  await as('member').votes.cast({ threadId, postId, value: 1 })
  const gone = { status: 404 }
  await expect(as('member').votes.one({ threadId: other, postId })).rejects.toMatchObject(gone)
  await expect(as('member').votes.one({ threadId, postId: 'nowhere' })).rejects.toMatchObject(gone)
  // Otherwise the id would be that of a vote of the account `f:member` on this post.
  const wrong = { status: 400 }
  await expect(as('member').votes.one({ threadId, postId: `${postId}:f` })).rejects.toMatchObject(wrong)
  await expect(as('member').votes.one({ threadId: 'a:b', postId })).rejects.toMatchObject(wrong)
  await expect(as('member').votes.list({ posts: `${postId},${postId}:f` })).rejects.toMatchObject(wrong)
})

test('posts are found by all their current words, in a thread and in all threads', async () => {
  const word = newWord()
  const [threadId, other] = await Promise.all([open('Words', `${word} first`), open('Other', `Other ${word}`)])
  const postId = await write(threadId, `Grüße, ${word.toUpperCase()}!`)
  expect(texts(await as().posts.search({ text: word }))).toHaveLength(3)
  expect(texts(await as().posts.list({ threadId, text: word }))).toEqual([
    `${word} first`,
    `Grüße, ${word.toUpperCase()}!`,
  ])
  expect(ids(await as().posts.search({ text: `grüße ${word}` }))).toEqual([postId])
  await as('member2').posts.edit({ threadId, postId, text: 'Nothing' })
  expect(new Set(ids(await as().posts.search({ text: word })))).toEqual(new Set([other, threadId]))
  await as('member').posts.delete({ threadId, postId: threadId })
  expect(ids(await as().posts.search({ text: word }))).toEqual([other])
  await as('member').threads.delete({ threadId: other })
  expect(ids(await as().posts.search({ text: word }))).toEqual([])
})

test('titles and texts are found by a substring in any case, combined with other filters', async () => {
  const id = crypto.randomUUID().slice(0, 8)
  const first = await open(`Giraffe${id} kettles`, `A  giraffe${id},\nof course`)
  const second = await open(`More giraffe${id}`, 'Any?', 'member2')
  const reply = await write(first, `Two GIRAFFES${id}?`)
  const late = await write(first, `${'x'.repeat(998)}giraffe${id}`)
  const titles = async (more: object) => ids(await as().threads.list({ titleContains: `AFFE${id}`, ...more }))
  expect(await titles({})).toEqual([second, first])
  expect(await titles({ order: 'oldest' })).toEqual([first, second])
  expect(await titles({ order: 'recent' })).toEqual([first, second])
  expect(await titles({ title: 'kettles' })).toEqual([first])
  expect(await titles({ author: 'member2' })).toEqual([second])
  expect(await titles({ titleContains: `e${id} k` })).toEqual([first])
  expect(await titles({ titleContains: `f${id}` })).toEqual([])

  const posts = async (textContains: string, more: object = {}) =>
    ids(await as().posts.search({ textContains, ...more }))
  expect(await posts(`FFE${id}, OF`)).toEqual([first])
  expect(await posts(`s${id}`)).toEqual([reply])
  expect(await posts(`s${id}`, { text: 'two' })).toEqual([reply])
  expect(await posts(`s${id}`, { text: 'three' })).toEqual([])
  const within = async (more: object) => ids(await as().posts.list({ threadId: first, ...more }))
  expect(await within({ textContains: 'GIRAFF' })).toEqual([first, reply])
  expect(await within({ textContains: 'GIRAFF', order: 'newest' })).toEqual([reply, first])
  expect(await within({ textContains: 'GIRAFF', order: 'best' })).toEqual([reply, first])
  expect(await within({ textContains: 'course', text: `giraffe${id}` })).toEqual([first])
  expect(await within({ textContains: 'xgi' })).toEqual([late])
  expect(await within({ textContains: 'giraffe', text: 'two' })).toEqual([reply])
  const found = await Promise.all([as().posts.search({ textContains: `giraffe${id}` }), posts(`giraffe${id}`)])
  expect(found[0].items).toEqual([await as().posts.byId({ postId: first })])
  expect(found[1]).toEqual([first])

  await as('member2').posts.edit({ threadId: first, postId: reply, text: `Elephant${id}` })
  expect([await posts(`giraffes${id}`), await posts(`phant${id}`)]).toEqual([[], [reply]])
  await as('member').threads.change({ threadId: first, title: `Elephants${id}` })
  expect(await titles({})).toEqual([second])
  await as('member2').posts.delete({ threadId: first, postId: reply })
  expect(await posts(`phant${id}`)).toEqual([])
  await as('member').threads.delete({ threadId: first })
  expect(await posts(`giraffe${id}`)).toEqual([])

  const few = { status: 400, message: expect.stringContaining('three letters or digits') }
  await expect(titles({ titleContains: 'ab, cd' })).rejects.toMatchObject(few)
  await expect(posts('ab')).rejects.toMatchObject(few)
  const neither = { status: 400, message: expect.stringContaining('text or textContains') }
  await expect(as().posts.search({})).rejects.toMatchObject(neither)
})

test('a deleted post keeps its place without its text, and a deleted thread is 404 with everything in it', async () => {
  const threadId = await open('Gone')
  const postId = await write(threadId, 'A secret')
  await as('member').posts.delete({ threadId, postId })
  const { items } = await as().posts.list({ threadId })
  expect(items[1]).toMatchObject({ id: postId, text: '', isDeleted: true, author: { id: 'member2' } })
  expect((await as().threads.one({ threadId })).posts).toBe(1)
  expect(JSON.stringify(await as().threads.history({ threadId }))).not.toContain('A secret')
  await as('member').threads.delete({ threadId })
  const gone = { status: 404 }
  await expect(as().threads.one({ threadId })).rejects.toMatchObject(gone)
  await expect(as().posts.list({ threadId })).rejects.toMatchObject(gone)
  await expect(as().posts.one({ threadId, postId })).rejects.toMatchObject(gone)
  await expect(as().posts.byId({ postId })).rejects.toMatchObject(gone)
  await expect(as().posts.byId({ postId: 'nowhere' })).rejects.toMatchObject(gone)
  await expect(as().threads.history({ threadId })).rejects.toMatchObject(gone)
  await expect(as().moderators.list({ threadId })).rejects.toMatchObject(gone)
  expect(ids(await as().threads.list({ limit: 1000 }))).not.toContain(threadId)
  await expect(write(threadId, 'More')).rejects.toMatchObject({
    status: 409,
    message: expect.stringContaining('the thread does not exist'),
  })
})

test('threads are listed by last activity, posts, title, author and date', async () => {
  const word = newWord()
  const before = new Date().toISOString()
  const first = await open(`${word} one`)
  const second = await open(`Two ${word}`, 'Any?', 'member2')
  await write(first, 'More')
  const all = async (more: Parameters<ReturnType<typeof as>['threads']['list']>[0]) =>
    ids(await as().threads.list({ from: before, limit: 1000, ...more })).filter((id) => [first, second].includes(id))
  expect(ids(await as().threads.list({ limit: 2 }))).toEqual([first, second])
  expect(await all({ order: 'recent' })).toEqual([first, second])
  expect(await all({ order: 'active' })).toEqual([first, second])
  expect(await all({ order: 'newest' })).toEqual([second, first])
  expect(await all({ order: 'oldest' })).toEqual([first, second])
  expect(await all({ title: word.toUpperCase() })).toEqual([second, first])
  expect(await all({ title: `${word} TWO` })).toEqual([second])
  expect(await all({ title: word, order: 'active' })).toEqual([first, second])
  expect(await all({ author: 'member2' })).toEqual([second])
  expect(await all({ author: 'member2', title: 'one' })).toEqual([])
  expect(await all({ to: before })).toEqual([])
  await as('member').threads.change({ threadId: first, title: 'Renamed' })
  expect(await all({ title: word })).toEqual([second])

  expect(await all({ order: 'changed' })).toEqual([first, second])
  const changedAt = async () => (await as().threads.one({ threadId: second })).changedAt
  const created = await changedAt()
  await as('member').votes.cast({ threadId: second, postId: second, value: 1 })
  expect(await all({ order: 'changed' })).toEqual([first, second])
  expect(await changedAt()).toBe(created)
  await as('member2').posts.edit({ threadId: second, postId: second, text: 'None?' })
  expect(await all({ order: 'changed' })).toEqual([second, first])
  expect(await all({ order: 'recent' })).toEqual([first, second])
  expect((await changedAt()) > created).toBe(true)
})

test('threads, posts, accounts, moderators and bans have numbered pages with totals, as described', async () => {
  const ask = await conforming(mill.query)
  const get = async (path: string) => (await ask(mill.query + path)).status
  const word = newWord()
  const threads: string[] = []
  for (const title of ['a', 'b', 'c']) threads.push(await open(`${word} ${title}`))
  const [threadId = '', second, third] = threads
  const numbered = as().threads.list.numbered
  const totals = { size: 2, total: 3, isTotalExact: true, totalPages: 2 }
  const page = async (more: object) => {
    const { items, ...rest } = await numbered({ title: word, size: 2, ...more })
    return [ids({ items }), rest]
  }
  expect(await page({})).toEqual([[third, second], { page: 0, ...totals }])
  expect(await page({ page: 1 })).toEqual([[threadId], { page: 1, ...totals }])
  expect(await page({ page: 2 })).toEqual([[], { page: 2, ...totals }])
  expect(await page({ sort: 'createdAt,asc' })).toEqual([[threadId, second], { page: 0, ...totals }])
  const within = async (sort: 'changedAt' | 'changedAt,desc') =>
    ids(await numbered({ sort, from: new Date(Date.now() - 3_600_000).toISOString(), title: word }))
  await as('member').threads.change({ threadId, title: `${word} changed` })
  expect(await within('changedAt,desc')).toEqual([threadId, third, second])
  expect(await within('changedAt')).toEqual([second, third, threadId])
  expect((await numbered({ titleContains: word.slice(1) })).total).toBe(3)
  expect((await numbered({ size: 1 })).total).toBeGreaterThanOrEqual(3)

  for (const text of ['one', 'two']) await write(threadId, `${text} ${word}`)
  const posts = as().posts.list.numbered
  expect(texts(await posts({ threadId, page: 1, size: 1, sort: 'createdAt,desc' }))).toEqual([`one ${word}`])
  expect(await posts({ threadId, text: word, size: 1 })).toMatchObject({ total: 2, totalPages: 2 })
  expect((await as().posts.search.numbered({ text: word })).total).toBe(2)
  expect((await as().posts.search.numbered({ textContains: word })).total).toBe(2)
  expect((await as().moderators.list.numbered({ threadId })).total).toBe(1)
  expect((await as().bans.list.numbered({ threadId })).total).toBe(0)
  expect((await as().siteBans.list.numbered()).total).toBe(0)
  expect((await as().accounts.list.numbered({ name: 'the' })).total).toBeGreaterThan(0)

  expect(await get('/api/forum/threads?page=0&size=2&sort=changedAt,desc')).toBe(200)
  expect(await get('/api/forum/threads?page=5000&size=2')).toBe(422)
  expect(await get('/api/forum/threads?page=0&sort=changedAt,desc&order=recent')).toBe(400)
})

test('moderators manage a thread, and everybody sees its moderators and bans', async () => {
  const threadId = await open('Moderated')
  const named = { threadId, accountId: 'moderator' }
  const [mary, max, mona] = [as('member'), as('member2'), as('moderator')]
  expect(await mona.threads.me({ threadId })).toEqual({ isModerator: false, isAdministrator: false, isBanned: false })
  await expect(max.moderators.appoint(named)).rejects.toMatchObject({
    status: 409,
    message: expect.stringContaining('only a moderator'),
  })
  await mary.moderators.appoint(named)
  expect((await mona.threads.me({ threadId })).isModerator).toBe(true)
  await mona.bans.add({ threadId, accountId: 'member2' })
  expect((await max.threads.me({ threadId })).isBanned).toBe(true)
  expect(await as().bans.list({ threadId })).toMatchObject({
    items: [{ account: { id: 'member2', name: 'The member2' }, by: { id: 'moderator' } }],
  })
  await expect(write(threadId, 'Why?')).rejects.toMatchObject({
    status: 409,
    message: 'you are banned from this thread',
  })
  await as('administrator').bans.lift({ threadId, accountId: 'member2' })
  await write(threadId, 'Thanks')
  await mona.moderators.remove({ threadId, accountId: 'member' })
  await expect(mona.moderators.remove(named)).rejects.toMatchObject({
    message: 'the last moderator of a thread cannot be removed',
  })
  expect((await as().moderators.list({ threadId })).items.map(({ account }) => account.id)).toEqual(['moderator'])
})

test('only moderators, administrators and the banned account read the reason of a ban, and lists and histories omit it', async () => {
  const threadId = await open('Reasons')
  const reason = 'Spam, thrice'
  const ban = { threadId, accountId: 'member2' }
  const known = { account: { id: 'member2' }, by: { id: 'member' }, reason }
  await as('member').bans.add({ ...ban, reason })
  for (const person of ['member', 'administrator', 'member2'] as const)
    expect(await as(person).bans.one(ban)).toMatchObject(known)
  for (const person of ['moderator', undefined] as const)
    expect(await as(person).bans.one(ban)).toMatchObject({ ...known, reason: null })
  for (const received of [await as('member').bans.list({ threadId }), await as('member').threads.history({ threadId })])
    expect(JSON.stringify(received)).not.toContain('thrice')
  await as('member').bans.lift(ban)
  await expect(as('member').bans.one(ban)).rejects.toMatchObject({ status: 404 })
  await as('member').bans.add(ban)
  expect((await as('member').bans.one(ban)).reason).toBeNull()

  const everywhere = { accountId: 'stranger' }
  await as('administrator').siteBans.add({ ...everywhere, reason })
  expect((await as('administrator').siteBans.one(everywhere)).reason).toBe(reason)
  expect((await as('member').siteBans.one(everywhere)).reason).toBeNull()
  await as('administrator').siteBans.lift(everywhere)
})

test('commands for moderators and bans take both ids in the body or in the query string', async () => {
  const threadId = await open('Both ids')
  const [inBody, inQuery] = [
    JSON.stringify({ threadId, accountId: 'member2' }),
    `?threadId=${threadId}&accountId=member2`,
  ]
  const ask = await conforming(mill.query)
  const status = async (method: string, path: string, body?: string) => {
    const headers = { authorization: `Bearer ${tokens.get('member')}`, prefer: 'wait=20' }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const site = method === 'GET' ? mill.query : mill.publish
    const answer = await ask(site + path, { method, headers: { ...headers, ...type }, ...(body ? { body } : {}) })
    return answer.status
  }
  const standing = () => as('member2').me({ threadId })
  const both = [
    [inBody, ''],
    [undefined, inQuery],
    [JSON.stringify({ accountId: 'member2' }), `?threadId=${threadId}`],
  ] as const
  for (const method of ['POST', 'PUT']) {
    for (const [body, query] of both) {
      for (const [mark, is] of [
        ['moderators', 'isModerator'],
        ['bans', 'isBanned'],
      ] as const) {
        expect(await status(method, `/api/forum/${mark}${query}`, body), `${method} ${query} ${body}`).toBe(200)
        expect(await standing()).toMatchObject({ [is]: true })
        expect(await standing()).toEqual(await as('member2').threads.me({ threadId }))
        expect(await status('DELETE', `/api/forum/${mark}${query}`, body), `DELETE ${query} ${body}`).toBe(200)
        expect(await standing()).toEqual({ isModerator: false, isAdministrator: false, isBanned: false })
      }
    }
  }
  expect(await status('POST', '/api/forum/bans', JSON.stringify({ accountId: 'member2' }))).toBe(422)
  expect(await status('POST', '/api/forum/bans')).toBe(422)
  expect(await status('POST', `/api/forum/bans${inQuery}&more=1`)).toBe(422)
  expect(await status('GET', `/api/forum/me?threadId=${threadId}`)).toBe(200)
  expect(await status('GET', '/api/forum/me')).toBe(400)
  await expect(as('member').me({ threadId: 'nowhere' })).rejects.toMatchObject({ status: 404 })
})

test('a ban from everywhere applies in every thread', async () => {
  const threadId = await open('Everywhere')
  const administrator = as('administrator')
  await expect(as('member').siteBans.add({ accountId: 'member2' })).rejects.toMatchObject({ status: 403 })
  await administrator.siteBans.add({ accountId: 'member2' })
  await expect(write(threadId, 'Why?')).rejects.toMatchObject({ status: 409, message: 'you are banned' })
  expect(await as().accounts.one({ accountId: 'member2' })).toMatchObject({ isBanned: true })
  await administrator.siteBans.lift({ accountId: 'member2' })
  await write(threadId, 'Back')
})

test('accounts are found by id and by words of their names, and only their owners see the address', async () => {
  const word = newWord()
  await as('moderator').accounts.change({ name: `Mona ${word}`, email: 'mona@example.org' })
  expect(await as('moderator').accounts.me()).toMatchObject({ id: 'moderator', email: 'mona@example.org' })
  const { items } = await as().accounts.list({ name: `${word.toUpperCase()} mona` })
  expect(items).toEqual([await as().accounts.one({ accountId: 'moderator' })])
  expect(Object.keys(items[0] ?? {})).not.toContain('email')
  expect((await as().accounts.list({ name: `${word} max` })).items).toEqual([])
  await expect(as().accounts.me()).rejects.toMatchObject({ status: 401 })
})

test('the live stream and the history of a thread have its events without voters', async () => {
  const threadId = await open('Live')
  const stop = new AbortController()
  const received: { type: string; number: number }[] = []
  const begun = Promise.withResolvers<void>()
  const listening = (async () => {
    const stream = as().threads.live.each({ threadId }, { signal: stop.signal, begun: () => begun.resolve() })
    for await (const event of stream) {
      received.push(event)
      if (received.length === 3) return
    }
  })()
  await begun.promise
  await open('Another one')
  const postId = await write(threadId, 'Said')
  await as('member').votes.cast({ threadId, postId, value: 1 })
  await as('member').threads.change({ threadId, title: 'Lively' })
  await listening
  stop.abort()
  const { items } = await as().threads.history({ threadId })
  expect(items.map(({ number, type, actor, data }) => [number, type, actor, data])).toEqual([
    [1, 'forum.thread-opened', 'member', {}],
    [2, 'forum.moderator-appointed', 'member', { account: 'member' }],
    [3, 'forum.post-written', 'member', { post: threadId }],
    [4, 'forum.post-written', 'member2', { post: postId }],
    [5, 'forum.vote-cast', null, { post: postId }],
    [6, 'forum.thread-changed', 'member', {}],
  ])
  expect(received).toEqual(items.slice(3))
})

test('If-Match takes the number of the last event in the history', async () => {
  const threadId = await open('Versioned')
  const version = (await as().threads.history({ threadId })).items.at(-1)?.number ?? 0
  await as('member').threads.change({ threadId, title: 'Changed' }, { version })
  const stale = as('member').threads.change({ threadId, title: 'Lost' }, { version })
  await expect(stale).rejects.toMatchObject({ status: 412 })
  expect(await as().threads.one({ threadId })).toMatchObject({ title: 'Changed' })
})
