import { z } from 'zod'
import { toFieldErrors } from '#core/field-errors.ts'
import tutorials from '#domains/tutorials/domain.ts'

export type Tutorial = { id: string; title: string }

const id = z.union([z.string(), z.strictObject({ $oid: z.string() }).transform(({ $oid }) => $oid)], {
  error: 'must be an ObjectId',
})

/** A document of Spring Data MongoDB, or an item of the previous `GET /api/test`. Any other field would be lost, so it is refused. */
const original = z.strictObject({
  _id: id.optional(),
  id: id.optional(),
  title: z.string(),
  _class: z.string().optional(),
})

/** The tutorial of a document, or the reason why it can't be imported. */
export function toTutorial(document: unknown): { tutorial: Tutorial } | { reason: string } {
  const read = original.safeParse(document)
  if (!read.success) return { reason: toFieldErrors(read.error).detail }
  const tutorial = { id: read.data._id ?? read.data.id ?? '', title: read.data.title }
  const checked = tutorials.contract.commands['tutorials.import'].data.safeParse(tutorial)
  return checked.success ? { tutorial } : { reason: toFieldErrors(checked.error).detail }
}
