import type { Documents } from '../domain.ts'

/** The time in the first eight digits of an ObjectId, which count seconds. */
const timeOf = (objectId: string): string => new Date(Number.parseInt(objectId.slice(0, 8), 16) * 1000).toISOString()

export const documents: Documents = {
  collection: { name: 'tutorials', indexes: { time: { fields: ['time'] } } },
  document: ({ type, id, data, time }) => ({
    title: data.title ?? '',
    time: type === 'tutorials.import' ? timeOf(id) : time,
  }),
}
