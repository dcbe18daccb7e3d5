import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config.ts'

/** The secret that signs and seals here, and after it those whose signatures and seals are taken too. */
export const secrets = async (
  settings: Pick<Config, 'RECEIPT_SECRET' | 'OTHER_SECRETS' | 'MILLRACE_DIR'>,
): Promise<[string, ...string[]]> => [await receiptSecret(settings), ...settings.OTHER_SECRETS]

/**
 * What receipts are signed with: RECEIPT_SECRET, or one that this machine makes once and keeps. Publish and query must
 * share it, so functions on several machines need RECEIPT_SECRET.
 */
export async function receiptSecret({
  RECEIPT_SECRET,
  MILLRACE_DIR,
}: Pick<Config, 'RECEIPT_SECRET' | 'MILLRACE_DIR'>): Promise<string> {
  if (RECEIPT_SECRET) return RECEIPT_SECRET
  try {
    return await kept(MILLRACE_DIR, 'receipt-secret', async () => randomBytes(32).toString('base64url'))
  } catch (cause) {
    throw new Error(`RECEIPT_SECRET is not set and can not be kept in ${MILLRACE_DIR}`, { cause })
  }
}

/** What this machine makes once and keeps, for this user only. */
export async function kept(dir: string, name: string, make: () => Promise<string>): Promise<string> {
  const file = join(dir, name)
  await mkdir(dir, { recursive: true })
  return await readFile(file, 'utf8').catch(async () => {
    await makeOnce(file, await make())
    return await readFile(file, 'utf8')
  })
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
