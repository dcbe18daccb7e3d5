import type { Collection } from '../domain.ts'

/** No document grows with its thread: each post, vote, moderator and ban has a document of its own. */
export const collections: Collection[] = [
  {
    name: 'threads',
    indexes: {
      recent: { fields: ['lastActivityAt'] },
      changed: { fields: ['changedAt'] },
      active: { fields: ['posts'] },
      created: { fields: ['createdAt'] },
      author: { fields: ['author', 'createdAt'] },
      words: { fields: ['words', 'createdAt'], each: 'words' },
      trigrams: { fields: ['trigrams', 'createdAt'], each: 'trigrams' },
    },
  },
  {
    name: 'posts',
    indexes: {
      thread: { fields: ['thread', 'createdAt'] },
      best: { fields: ['thread', 'score', 'createdAt'] },
      words: { fields: ['words', 'createdAt'], each: 'words' },
      threadWords: { fields: ['thread', 'words', 'createdAt'], each: 'words' },
    },
  },
  { name: 'postBeginnings', indexes: { trigrams: { fields: ['trigrams', 'createdAt'], each: 'trigrams' } } },
  { name: 'votes', indexes: {} },
  { name: 'moderators', indexes: { thread: { fields: ['thread', 'since'] } } },
  { name: 'bans', indexes: { thread: { fields: ['thread', 'since'] } } },
  { name: 'siteBans', indexes: { time: { fields: ['since'] } } },
  { name: 'accounts', indexes: { words: { fields: ['words', 'name'], each: 'words' } } },
]
