import type { Documents } from '../domain.ts'

export const documents: Documents = {
  collection: { name: 'tutorials', indexes: { time: { fields: ['time'] } } },
  document: ({ data, time }) => ({ title: data.title ?? '', time }),
}
