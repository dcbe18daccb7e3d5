import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config.ts'

/**
 * What receipts are signed with: RECEIPT_SECRET, or one that this machine makes once and keeps. Publish and query must
 * share it, so functions on several machines need RECEIPT_SECRET.
 */
export async function receiptSecret({
  RECEIPT_SECRET,
  MILLRACE_DIR,
}: Pick<Config, 'RECEIPT_SECRET' | 'MILLRACE_DIR'>): Promise<string> {
  if (RECEIPT_SECRET) return RECEIPT_SECRET
  const file = join(MILLRACE_DIR, 'receipt-secret')
  try {
    await mkdir(MILLRACE_DIR, { recursive: true })
    await makeOnce(file, randomBytes(32).toString('base64url'))
  } catch (cause) {
    throw new Error(`RECEIPT_SECRET is not set and ${file} can not be written`, { cause })
  }
  return await readFile(file, 'utf8')
}

/** The file appears whole or not at all, and whoever is second finds the first one's. */
async function makeOnce(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, text, { mode: 0o600 })
  try {
    await link(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft)
  }
}
