import { letters } from '#core/collections.ts'
import type { Document, Fields } from '#domains/domain.ts'
import type { Answering, Parts } from './answer.ts'
import { oneOf } from './one.ts'
import { pageOf } from './page.ts'

const shape = ({ _id, hash: _, ...letter }: Document): Fields => ({ id: _id, ...letter })

/** Commands that could not be applied, by arrival. */
export const letterPage = (parts: Parts): Answering =>
  pageOf(
    parts,
    () => letters,
    { index: 'arrival' },
    async (documents) => documents.map(shape),
  )

export const oneLetter = ({ store }: Parts): Answering => oneOf(store, letters, { shape })
