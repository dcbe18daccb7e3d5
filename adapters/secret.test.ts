import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { receiptSecret } from './secret.ts'

const unset = undefined

test('given RECEIPT_SECRET, then that', async () => {
  expect(await receiptSecret({ RECEIPT_SECRET: 'x'.repeat(32), MILLRACE_DIR: '/nowhere' })).toBe('x'.repeat(32))
})

test('given none, then all who ask at once and ever after get the same, and only this user may read it', async () => {
  const home = mkdtempSync(join(tmpdir(), 'secret-'))
  const asked = { RECEIPT_SECRET: unset, MILLRACE_DIR: join(home, 'new') }
  const secrets = await Promise.all(Array.from({ length: 20 }, () => receiptSecret(asked)))
  expect(new Set([...secrets, await receiptSecret(asked)]).size).toBe(1)
  expect(secrets[0]).toMatch(/^[\w-]{43}$/)
  expect(statSync(join(home, 'new', 'receipt-secret')).mode & 0o777).toBe(0o600)
  rmSync(home, { recursive: true })
})

test('given a folder that can not be made, then the error names the setting', async () => {
  const home = mkdtempSync(join(tmpdir(), 'secret-'))
  writeFileSync(join(home, 'file'), '')
  await expect(receiptSecret({ RECEIPT_SECRET: unset, MILLRACE_DIR: join(home, 'file') })).rejects.toThrow(
    'RECEIPT_SECRET',
  )
  rmSync(home, { recursive: true })
})
