import { existsSync, fstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { receiptSecret } from './secret.ts'

const unset = undefined

test('given RECEIPT_SECRET, then it is the secret', async () => {
  expect(await receiptSecret({ RECEIPT_SECRET: 'x'.repeat(32), MILLRACE_DIR: '/nowhere' })).toBe('x'.repeat(32))
})

test('given none, then concurrent and later callers get the same secret, and only this user may read it', async () => {
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

test.each(['', 'short', ' '.repeat(40), `${'x'.repeat(31)}\n`])(
  'given a file with %j, then the error has its name and the remedy, and the file is unchanged',
  async (text) => {
    const home = mkdtempSync(join(tmpdir(), 'secret-'))
    const file = join(home, 'receipt-secret')
    writeFileSync(file, text)
    const secret = receiptSecret({ RECEIPT_SECRET: unset, MILLRACE_DIR: home })
    await expect(secret).rejects.toThrow(/receipt-secret .*at least 32.*Restore it.*delete it/s)
    await expect(secret).rejects.toThrow(file)
    expect(readFileSync(file, 'utf8')).toBe(text)
    rmSync(home, { recursive: true })
  },
)

/** Reports every fsync of a file handle, before it is done. */
async function onSync(report: (inode: number) => void): Promise<() => void> {
  const any = await open('/dev/null')
  const prototype: FileHandle = Object.getPrototypeOf(any)
  await any.close()
  const { sync } = prototype
  prototype.sync = function (this: FileHandle) {
    report(fstatSync(this.fd).ino)
    return sync.call(this)
  }
  return () => {
    prototype.sync = sync
  }
}

test('given no file, then a new one is flushed to disk before it appears, and the folder afterwards', async () => {
  const home = mkdtempSync(join(tmpdir(), 'secret-'))
  const file = join(home, 'receipt-secret')
  const synced: { inode: number; isThere: boolean }[] = []
  const restore = await onSync((inode) => synced.push({ inode, isThere: existsSync(file) }))
  await receiptSecret({ RECEIPT_SECRET: unset, MILLRACE_DIR: home }).finally(restore)
  expect(synced).toEqual([
    { inode: statSync(file).ino, isThere: false },
    { inode: statSync(home).ino, isThere: true },
  ])
  expect(readdirSync(home)).toEqual(['receipt-secret'])
  rmSync(home, { recursive: true })
})
