import { z } from 'zod'

/** The schema of tutorials.publish. */
const schema = z.strictObject({ title: z.string().trim().min(1).max(10_000) })

export function answerTo(body: unknown): { status: number; body: string } {
  const { success, data } = schema.safeParse(body)
  return success ? { status: 202, body: JSON.stringify(data) } : { status: 422, body: '{}' }
}
