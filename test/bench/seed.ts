import { openFile } from '#adapters/embedded/file.ts'
import { embeddedStore } from '#adapters/store/embedded.ts'
import { collections, events, heads, streamKey } from '#core/collections.ts'
import type { StoredCollection } from '#core/store.ts'
import type { Document } from '#domains/domain.ts'
import type { Mark, Post, Thread, Vote } from '#domains/forum/documents.ts'
import forum from '#domains/forum/domain.ts'
import { postBeginningOf } from '#domains/forum/posts.ts'
import { folded, trigramsOf, wordsOf } from '#domains/words.ts'

export const THREAD = 'kettles'
export const VOTES_EACH = 10
const AUTHOR = 'somebody'
const CHUNK = 1000
const FIRST = Date.parse('2026-01-01T00:00:00.000Z')

export const idOf = (number: number): string => `post-${String(number).padStart(6, '0')}`
const timeOf = (number: number): string => new Date(FIRST + number * 1000).toISOString()
export const textOf = (number: number): string =>
  `Kettle ${number % 997} boils in ${number % 89} minutes, whoever watches it`
/** The vote of a voter on a post, chosen so that neighbouring posts have different scores. */
const voteOf = (post: number, voter: number): 1 | -1 => ((post * 31 + voter * 17) % 23 < 12 ? 1 : -1)

/** The documents and events that the rules make of so many commands. */
export async function seed(dir: string, posts: number): Promise<void> {
  const file = openFile(dir)
  const store = embeddedStore(file)
  const stored = new Map(collections([forum]).map((collection) => [collection.name, collection]))
  await store.prepare([...stored.values()])
  const key = streamKey(forum.name, `thread/${THREAD}`)
  let version = 0

  for (let from = 0; from < posts; from += CHUNK) {
    const numbers = Array.from({ length: Math.min(CHUNK, posts - from) }, (_, at) => from + at)
    const votes = numbers.flatMap((post) => Array.from({ length: VOTES_EACH }, (_, voter) => [post, voter] as const))
    await insert('posts', numbers.map(postOf))
    await insert(
      'postBeginnings',
      numbers.map((post) => postBeginningOf(idOf(post), textOf(post), timeOf(post))),
    )
    await insert(
      'votes',
      votes.map(([post, voter]): Vote => ({ _id: `${idOf(post)}:voter-${voter}`, value: voteOf(post, voter) })),
    )
    await insert(events.name, [
      ...numbers.map((post) => eventOf(AUTHOR, 'forum.post-written', post, { text: textOf(post) })),
      ...votes.map(([post, voter]) =>
        eventOf(`voter-${voter}`, 'forum.vote-cast', post, { value: voteOf(post, voter) }),
      ),
    ])
  }
  const title = 'Kettles'
  const thread: Thread = {
    _id: THREAD,
    title,
    words: wordsOf(title),
    trigrams: trigramsOf(folded(title)),
    author: AUTHOR,
    createdAt: timeOf(0),
    lastActivityAt: timeOf(posts),
    changedAt: timeOf(posts),
    posts,
    moderators: 1,
  }
  const mark: Mark = { _id: `${THREAD}:${AUTHOR}`, thread: THREAD, account: AUTHOR, by: AUTHOR, since: timeOf(0) }
  await insert('threads', [thread])
  await insert('moderators', [mark])
  await insert(heads.name, [{ _id: key, version, isParked: false, letters: 0, generation: version }])
  await store.close()
  file.close()

  async function insert(collection: string, documents: Document[]): Promise<void> {
    await store.insert(stored.get(collection) as StoredCollection, documents)
  }
  function eventOf(actor: string, type: string, post: number, data: object): Document {
    const number = ++version
    return {
      _id: `${key}#${number}`,
      key,
      stream: `thread/${THREAD}`,
      number,
      type,
      command: `${number}`,
      time: timeOf(post),
      actor,
      data: { post: idOf(post), ...data },
    }
  }
}

function postOf(number: number): Post {
  const values = Array.from({ length: VOTES_EACH }, (_, voter) => voteOf(number, voter))
  const up = values.filter((value) => value === 1).length
  const text = textOf(number)
  return {
    _id: idOf(number),
    thread: THREAD,
    author: AUTHOR,
    text,
    words: wordsOf(text),
    createdAt: timeOf(number),
    editedAt: null,
    up,
    down: VOTES_EACH - up,
    score: 2 * up - VOTES_EACH,
    isDeleted: false,
  }
}
