import { expect } from 'vitest'
import { Problem } from '#client/problem.ts'

/** The problem with which the promise rejects. */
export async function thrown(work: Promise<unknown>): Promise<Problem> {
  const error = await work.then(
    () => undefined,
    (error) => error,
  )
  expect(error).toBeInstanceOf(Problem)
  return error
}
