import type { z } from 'zod'

/** What a schema refused: field by field for programs, in one line for people. */
export function refusalOf(error: z.ZodError): { errors: { field: string; message: string }[]; detail: string } {
  const errors = error.issues.map(({ path, message }) => ({ field: path.join('.'), message }))
  return { errors, detail: errors.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join('; ') }
}
