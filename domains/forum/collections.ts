import type { Collection } from '../domain.ts'

/** Nothing in a document grows with its thread: what there are many of has a document each. */
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
  { name: 'votes', indexes: {} },
  { name: 'moderators', indexes: { thread: { fields: ['thread', 'since'] } } },
  { name: 'bans', indexes: { thread: { fields: ['thread', 'since'] } } },
  { name: 'siteBans', indexes: { time: { fields: ['since'] } } },
  { name: 'accounts', indexes: { words: { fields: ['words', 'name'], each: 'words' } } },
]
