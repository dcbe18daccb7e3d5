import { expect } from 'vitest'
import { Problem } from '#client/problem.ts'

/** The problem that it ends with. */
export async function thrown(work: Promise<unknown>): Promise<Problem> {
  const error = await work.then(
    () => undefined,
    (error) => error,
  )
  expect(error).toBeInstanceOf(Problem)
  return error
}
