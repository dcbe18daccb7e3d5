import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config.ts'

/**
 * What receipts are signed with: RECEIPT_SECRET, or one that this machine makes once and keeps. Publish and query must
 * share it, so functions on several machines need RECEIPT_SECRET.
 */
export async function receiptSecret({ RECEIPT_SECRET, MILLRACE_DIR }: Config): Promise<string> {
  if (RECEIPT_SECRET) return RECEIPT_SECRET
  const file = join(MILLRACE_DIR, 'receipt-secret')
  try {
    await mkdir(MILLRACE_DIR, { recursive: true })
    await writeFile(file, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new Error(`RECEIPT_SECRET is not set and ${file} can not be written`, { cause })
    }
  }
  return await readFile(file, 'utf8')
}
