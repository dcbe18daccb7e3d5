import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openFile } from '#adapters/embedded/file.ts'
import { send } from '../mill.ts'
import { runTarget, type Target } from '../target.ts'

const dir = mkdtempSync(join(tmpdir(), 'not-prepared-'))
const start = (target: Target) =>
  runTarget(target, {
    LOG: 'embedded',
    STORE: 'embedded',
    MILLRACE_DIR: dir,
    ANONYMOUS_SCOPES: 'tutorials:write',
    OIDC_ISSUER: '',
  })

afterAll(() => rmSync(dir, { recursive: true }))

test('on an embedded file that is not prepared, every function refuses to start and names prepare', async () => {
  for (const target of ['publish', 'grpc', 'persist', 'query'] as const) {
    const ended = await start(target).then(
      async (run) => expect.fail(`${target} started, and ended with ${await run.stop()}`),
      (error: Error) => error.message,
    )
    expect(ended).toMatch(
      /^The embedded file in .*not-prepared-\S+ is not prepared: no such table: doc_\w+\. Run the same command with FUNCTION_TARGET=prepare first\.$/m,
    )
  }
  const prepared = await start('prepare')
  expect(await prepared.ended, prepared.output()).toBe(0)
  const publish = await start('publish')
  expect((await send(`${publish.url}/api/tutorials`, { title: 'Mills' })).status).toBe(202)
  expect(await publish.stop(), publish.output()).toBe(0)
})

test('a topic that is missing from a prepared file stops publish, and is named', async () => {
  const file = openFile(dir)
  file.database.exec("DELETE FROM log_topics WHERE name = 'logs'")
  file.close()
  await expect(start('publish')).rejects.toThrow(/is not prepared: log: there is no topic logs\. Run the same/)
})
