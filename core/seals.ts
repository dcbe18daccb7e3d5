import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'

/** The facts about a command that publish vouches for. persist trusts nothing outside of them. */
export interface Vouched {
  topic: string
  id: string
  type: string
  /** The time at which publish accepted the command, in milliseconds since the epoch. */
  time: number
  stream: string
  actor: string
  scopes?: string[]
  /** The version that the client expects the stream to have. */
  expectedVersion?: number
  /** The hash of the command's body. It equals the hash of the record's value unless `value` is set. */
  body: string
  /** The hash of the record's value, if it differs from the body. */
  value?: string
}

export type Opened = { ok: true; vouched: Vouched } | { ok: false; reason: string }

export interface Seals {
  seal(vouched: Vouched): string
  open(seal: string): Opened
}

interface Key {
  id: string
  mac: KeyObject
}

const MAC_LENGTH = 22

/**
 * Creates and opens seals. A seal is `keyid.base64url(JSON).mac`, and its MAC is an HMAC-SHA256 of the text before it, cut to 128 bits. Key
 * and key id are derived from a secret. The first secret seals. Seals of the other secrets, newer or older, are accepted too.
 */
export function seals([secret, ...others]: readonly [string, ...string[]]): Seals {
  const own = keyOf(secret)
  const keys = new Map([...others.map(keyOf), own].map(({ id, mac }) => [id, mac]))
  return {
    seal(vouched) {
      const text = `${own.id}.${Buffer.from(JSON.stringify(vouched)).toString('base64url')}`
      return `${text}.${macOf(own.mac, text)}`
    },
    open(seal) {
      const end = seal.lastIndexOf('.')
      const id = seal.slice(0, seal.indexOf('.'))
      const key = keys.get(id)
      if (!key) return { ok: false, reason: `its seal names the unknown key ${id.slice(0, 16)}` }
      const right = Buffer.from(macOf(key, seal.slice(0, end)))
      const given = Buffer.from(seal.slice(end + 1))
      if (given.length !== right.length || !timingSafeEqual(given, right)) {
        return { ok: false, reason: 'its seal is forged' }
      }
      return { ok: true, vouched: readSeal(seal) }
    },
  }
}

/** The facts in a seal that was opened before. It does not check the MAC. */
export const readSeal = (seal: string): Vouched =>
  JSON.parse(Buffer.from(seal.split('.', 2)[1] ?? '', 'base64url').toString('utf8'))

const macOf = (key: KeyObject, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url').slice(0, MAC_LENGTH)

function keyOf(secret: string): Key {
  const derived = (info: string, bytes: number) => Buffer.from(hkdfSync('sha256', secret, '', info, bytes))
  return {
    id: derived('millrace seal key id', 6).toString('base64url'),
    mac: createSecretKey(derived('millrace seal key', 32)),
  }
}
