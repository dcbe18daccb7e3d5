import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { readOrCreate } from '#adapters/private-file.ts'
import type { Config } from './config.ts'

const FILE = 'receipt-secret'
/** As RECEIPT_SECRET in settings.ts. */
const MIN_LENGTH = 32

/**
 * The secret that signs and seals, followed by the secrets whose signatures and seals are accepted too. Each of those occurs also with
 * a newline at its end, since a secret that was made from a file may have one.
 */
export const secrets = async (
  settings: Pick<Config, 'RECEIPT_SECRET' | 'OTHER_SECRETS' | 'MILLRACE_DIR'>,
): Promise<[string, ...string[]]> => [
  await receiptSecret(settings),
  ...settings.OTHER_SECRETS.flatMap((secret) => [secret, `${secret}\n`]),
]

/**
 * The secret that signs receipts and seals records: RECEIPT_SECRET, or a secret that this machine makes once and stores. publish, persist and
 * query must share it, so functions on several machines need RECEIPT_SECRET.
 */
export async function receiptSecret({
  RECEIPT_SECRET,
  MILLRACE_DIR,
}: Pick<Config, 'RECEIPT_SECRET' | 'MILLRACE_DIR'>): Promise<string> {
  if (RECEIPT_SECRET) return RECEIPT_SECRET
  const secret = await readOrCreate(MILLRACE_DIR, FILE, async () => randomBytes(32).toString('base64url')).catch(
    (cause) => {
      throw new Error(`RECEIPT_SECRET is not set and can not be kept in ${MILLRACE_DIR}`, { cause })
    },
  )
  if (secret.trim().length < MIN_LENGTH) throw new Error(tooShort(resolve(MILLRACE_DIR, FILE)))
  return secret
}

const tooShort = (file: string): string =>
  `${file} is too short: a secret has at least ${MIN_LENGTH} characters. Restore it from a backup, set RECEIPT_SECRET, or ` +
  'delete it. Without it a new one is made, earlier receipts are no longer found, and commands that wait in the log become letters.'
