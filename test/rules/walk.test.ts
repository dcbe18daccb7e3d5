import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { freePort } from '../mill.ts'

/** The files that a reader opens to follow one command, from the request until it is applied, the local KafkaSource included. */
async function filesOf(path: string, body: object, person: string[]): Promise<string[]> {
  const walk = ['test/rules/walk-files.ts', String(await freePort()), path, JSON.stringify(body), ...person]
  const output = execFileSync(process.execPath, walk, { encoding: 'utf8', timeout: 60_000 })
  return /^files: (.*)$/m.exec(output)?.[1]?.split(' ') ?? []
}

test.each([
  ['/api/tutorials', { title: 'Learn to mill' }, [], 46],
  ['/api/forum/threads', { title: 'Mills', text: 'Which one?' }, ['member'], 66],
])('a command that is posted to %s runs through few files', async (path, body, person, limit) => {
  const files = await filesOf(path, body, person)
  expect(files).toContain('functions/publish/submit.ts')
  expect(files).toContain('functions/persist/apply-batch.ts')
  expect(files.length, files.join('\n')).toBeLessThan(limit)
})
